#include "proxy/backend/http1_plain_head.h"

enum { LENGTH_DIGITS_MAX = 18 /* surely within 63 bits */ };

/* Takes a line that ends with CR LF, and has no other CR; false when there is none. */
static bool take_line(struct strview *bytes, struct strview *ret_line)
{
    size_t end = strview_find(*bytes, '\r');
    if (bytes->length - end < 2 || bytes->data[end + 1] != '\n')
        return false;
    *ret_line = strview_make(bytes->data, end);
    *bytes = strview_from(*bytes, end + 2);
    return true;
}

static bool byte_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* A final status (RFC 9112 section 4) and a reason, which nobody reads; 0: it is not plain. */
static int status_of(struct strview line)
{
    static const char version[] = "HTTP/1.1 ";
    enum { VERSION_BYTES = sizeof(version) - 1 };
    const char *digits = line.data + VERSION_BYTES;
    if (line.length < VERSION_BYTES + 4 || memcmp(line.data, version, VERSION_BYTES) != 0)
        return 0;
    if (digits[0] < '2' || digits[0] > '5' || !byte_is_digit(digits[1]) ||
        !byte_is_digit(digits[2]) || digits[3] != ' ' ||
        !header_value_is_valid(strview_from(line, VERSION_BYTES + 4)))
        return 0;
    return (digits[0] - '0') * 100 + (digits[1] - '0') * 10 + (digits[2] - '0');
}

static bool is_plain_length(struct strview value)
{
    for (size_t i = 0; i < value.length; i++) {
        if (!byte_is_digit(value.data[i]))
            return false;
    }
    return value.length > 0 && value.length <= LENGTH_DIGITS_MAX;
}

/* Says nothing that frames the message or is about the connection, but a length or what goes
 * without saying. */
static bool is_plain_field(const struct response_head *head, enum header_token token,
                           struct strview value)
{
    if (token == HEADER_CONTENT_LENGTH)
        return head->content_length == CONTENT_LENGTH_UNKNOWN && is_plain_length(value);
    if (token == HEADER_CONNECTION)
        return strview_equal_ignore_case(value, STRVIEW("keep-alive"));
    return token != HEADER_TRANSFER_ENCODING && token != HEADER_UPGRADE &&
           token != HEADER_PROXY_CONNECTION;
}

static bool take_field(struct response_builder *builder, struct arena *arena, struct strview line)
{
    size_t colon = strview_find(line, ':');
    if (colon == line.length)
        return false;
    char *copy = arena_alloc(arena, line.length);
    memcpy(copy, line.data, line.length);
    ascii_lower_copy(copy, copy, colon);
    struct strview name = strview_make(copy, colon);
    struct strview value = strview_trim(strview_make(copy + colon + 1, line.length - colon - 1));
    const char *blanks = value.data + value.length;
    if (memchr(blanks, '\t', (size_t)(copy + line.length - blanks)) != NULL)
        return false; /* llhttp knows behind what a tab may stand */
    return is_plain_field(&builder->head, header_token_of(name), value) &&
           response_builder_field(builder, arena, name, value) == BUILDER_OK;
}

static size_t read_head(struct response_builder *builder, struct arena *arena,
                        enum http_method request_method, struct strview bytes)
{
    struct strview rest = bytes;
    struct strview line;
    if (!take_line(&rest, &line))
        return 0;
    struct response_head *head = &builder->head;
    head->status = status_of(line);
    if (head->status == 0)
        return 0;
    while (take_line(&rest, &line)) {
        if (line.length > 0) {
            if (!take_field(builder, arena, line))
                return 0;
            continue;
        }
        bool ends = head->content_length != CONTENT_LENGTH_UNKNOWN ||
                    response_has_no_content(request_method, head->status);
        return ends ? bytes.length - rest.length : 0;
    }
    return 0;
}

size_t http1_plain_head(struct response_builder *builder, struct arena *arena,
                        enum http_method request_method, struct strview bytes)
{
    uint32_t before = builder->bytes;
    if (bytes.length > HTTP1_PLAIN_HEAD_BYTES)
        bytes.length = HTTP1_PLAIN_HEAD_BYTES;
    size_t length = read_head(builder, arena, request_method, bytes);
    if (length == 0) {
        response_builder_restart(builder);
        builder->bytes = before;
    }
    return length;
}
