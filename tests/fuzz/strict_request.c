#include "tests/fuzz/strict_request.h"

#include "proxy/core/check.h"
#include "proxy/http/headers.h"

struct framing {
    uint32_t hosts;
    uint32_t lengths;
    uint32_t codings;
    uint32_t upgrades; /* what an Upgrade to a WebSocket says, and nothing else may */
    uint64_t length;
};

/* The line at the begin of *rest, without CR LF; false when it has no end yet. */
static bool take_line(struct strview *rest, struct strview *ret_line)
{
    size_t end = strview_find(*rest, '\n');
    if (end == rest->length)
        return false;
    CHECK(end > 0 && rest->data[end - 1] == '\r');
    *ret_line = strview_make(rest->data, end - 1);
    *rest = strview_from(*rest, end + 1);
    return true;
}

static void check_request_line(struct strview line)
{
    size_t first = strview_find(line, ' ');
    CHECK(first < line.length && header_name_is_token(strview_make(line.data, first)));
    struct strview rest = strview_from(line, first + 1);
    size_t second = strview_find(rest, ' ');
    CHECK(strview_equal(strview_from(rest, second), STRVIEW(" HTTP/1.1")));
    CHECK(second > 0 && (rest.data[0] == '/' || (second == 1 && rest.data[0] == '*')));
    for (size_t i = 0; i < second; i++)
        CHECK((unsigned char)rest.data[i] > 0x20 && rest.data[i] != 0x7f && rest.data[i] != '#');
}

static void check_field(struct strview line, struct framing *framing)
{
    size_t colon = strview_find(line, ':');
    CHECK(colon < line.length && header_name_is_token(strview_make(line.data, colon)));
    struct strview name = strview_make(line.data, colon);
    struct strview value = strview_trim(strview_from(line, colon + 1));
    CHECK(header_value_is_valid(value));
    enum header_token token = header_token_of(name);
    /* Hop by hop, or for nobody. */
    CHECK(token != HEADER_KEEP_ALIVE && token != HEADER_TE && token != HEADER_HTTP2_SETTINGS &&
          token != HEADER_PROXY);
    CHECK(token != HEADER_CONNECTION || strview_equal(value, STRVIEW("upgrade")));
    CHECK(token != HEADER_UPGRADE || strview_equal(value, STRVIEW("websocket")));
    framing->upgrades += token == HEADER_CONNECTION || token == HEADER_UPGRADE;
    framing->hosts += token == HEADER_HOST;
    framing->lengths += token == HEADER_CONTENT_LENGTH;
    framing->codings += token == HEADER_TRANSFER_ENCODING;
    if (token == HEADER_CONTENT_LENGTH)
        CHECK(strview_to_u64(value, INT64_MAX, &framing->length));
    if (token == HEADER_TRANSFER_ENCODING)
        CHECK(strview_equal(value, STRVIEW("chunked")));
}

/* Fields up to the empty line; false when that is not there yet. */
static bool take_fields(struct strview *rest, struct framing *framing)
{
    struct strview line;
    while (take_line(rest, &line)) {
        if (line.length == 0)
            return true;
        check_field(line, framing);
    }
    return false;
}

static uint64_t hex_value(struct strview digits)
{
    uint64_t value = 0;
    CHECK(digits.length > 0 && digits.length < 16);
    for (size_t i = 0; i < digits.length; i++) {
        char c = digits.data[i];
        CHECK((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'));
        value = value * 16 + (uint64_t)(c <= '9' ? c - '0' : c - 'a' + 10);
    }
    return value;
}

static bool take_chunks(struct strview *rest)
{
    struct strview line;
    while (take_line(rest, &line)) {
        uint64_t size = hex_value(line);
        if (size == 0) {
            struct framing trailers = {0};
            bool whole = take_fields(rest, &trailers);
            CHECK(trailers.hosts + trailers.lengths + trailers.codings + trailers.upgrades == 0);
            return whole;
        }
        if (rest->length < size + 2)
            return false;
        CHECK(memcmp(rest->data + size, "\r\n", 2) == 0);
        *rest = strview_from(*rest, size + 2);
    }
    return false;
}

size_t strict_request_length(struct strview bytes, enum strict_kind *ret_kind)
{
    struct strview rest = bytes;
    struct strview line;
    struct framing framing = {0};
    if (!take_line(&rest, &line))
        return 0;
    check_request_line(line);
    if (!take_fields(&rest, &framing))
        return 0;
    CHECK(framing.hosts == 1 && framing.lengths + framing.codings <= 1);
    CHECK(framing.upgrades == 0 || framing.upgrades == 2);
    CHECK(framing.upgrades == 0 || strview_starts_with(line, STRVIEW("GET ")));
    CHECK(framing.upgrades == 0 || framing.lengths + framing.codings == 0);
    if (framing.codings > 0 && !take_chunks(&rest))
        return 0;
    if (rest.length < framing.length)
        return 0;
    *ret_kind = framing.upgrades > 0                          ? STRICT_WEBSOCKET
                : strview_starts_with(line, STRVIEW("HEAD ")) ? STRICT_HEAD
                                                              : STRICT_PLAIN;
    return bytes.length - rest.length + framing.length;
}
