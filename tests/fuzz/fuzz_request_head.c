/*
 * Heads of requests, field by field as a codec gives them. The input is a byte of choices and then
 * lines that end with CR LF: a name, a colon and a space, a value. What the check lets through is
 * fit to be routed and sent on, whoever wrote it.
 */
#include "tests/fuzz/fuzz.h"

#include "proxy/core/check.h"
#include "proxy/http/request_check.h"
#include "proxy/http/request_head.h"

enum { CHOICE_BODY = 1 }; /* the head did not end the message */

static const struct limits limits = {
    .header_bytes = 2000,
    .header_fields = 8,
    .body_bytes = 1 << 20,
};

/* The first line, without its end; `*rest` is what follows. */
static struct strview take_line(struct strview *rest)
{
    size_t end = 0;
    while (end + 1 < rest->length && memcmp(rest->data + end, "\r\n", 2) != 0)
        end++;
    if (end + 1 >= rest->length)
        end = rest->length;
    struct strview line = strview_make(rest->data, end);
    *rest = strview_from(*rest, end < rest->length ? end + 2 : end);
    return line;
}

static void add_line(struct request_head *head, struct arena *arena, struct strview line)
{
    size_t colon = 1; /* a pseudo-field begins with one */
    while (colon + 1 < line.length && memcmp(line.data + colon, ": ", 2) != 0)
        colon++;
    bool has_value = colon + 1 < line.length;
    struct strview name = has_value ? strview_make(line.data, colon) : line;
    struct strview value = has_value ? strview_from(line, colon + 2) : STRVIEW_NONE;
    request_head_field(head, arena, &limits, arena_copy_lower(arena, name), value);
}

static void check_bytes(struct strview text, char least)
{
    for (size_t i = 0; i < text.length; i++)
        CHECK((unsigned char)text.data[i] >= (unsigned char)least && text.data[i] != 0x7f);
}

static void check_field(const struct header_field *field)
{
    CHECK(field->name.length > 0 && field->name.data[0] != ':');
    CHECK(field->token == header_token_of(field->name) && field->token != HEADER_HOST);
    for (size_t i = 0; i < field->name.length; i++) {
        char c = field->name.data[i];
        CHECK(c > ' ' && c < 0x7f && strchr("\"(),/:;<=>?@[\\]{}", c) == NULL);
        CHECK(c == ascii_lower(c));
    }
    for (size_t i = 0; i < field->value.length; i++) {
        char c = field->value.data[i];
        CHECK(c == '\t' || ((unsigned char)c >= ' ' && c != 0x7f));
    }
}

static void check_target(const struct request_head *head)
{
    CHECK(authority_is_valid(head->authority));
    for (size_t i = 0; i < head->authority.length; i++)
        CHECK(strchr("/@?#\\", head->authority.data[i]) == NULL);
    CHECK(!head->has_host || strview_equal(head->host, head->authority));
    CHECK(head->path_kind != PATH_INVALID);
    CHECK(head->path_kind != PATH_ASTERISK || head->method == METHOD_OPTIONS);
    CHECK(head->path_kind != PATH_CANONICAL || head->path.data[0] == '/');
    check_bytes(head->path, '!');
    check_bytes(head->query, '!');
}

static void check_let_through(const struct request_head *head)
{
    CHECK(head->method != METHOD_OTHER && head->method != METHOD_CONNECT);
    CHECK(head->method != METHOD_TRACE);
    CHECK(head->headers.count <= limits.header_fields);
    CHECK(head->headers.bytes <= limits.header_bytes);
    CHECK(head->content_length >= CONTENT_LENGTH_UNKNOWN);
    CHECK(head->content_length <= (int64_t)limits.body_bytes);
    for (uint32_t i = 0; i < head->headers.count; i++)
        check_field(&head->headers.fields[i]);
    check_target(head);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct arena arena;
    struct request_head head;
    arena_init(&arena, NULL);
    request_head_init(&head);
    struct strview rest = strview_make((const char *)data + 1, size - 1);
    while (rest.length > 0)
        add_line(&head, &arena, take_line(&rest));
    request_head_done(&head, &arena, (data[0] & CHOICE_BODY) != 0);
    struct request_verdict verdict = request_check(&head, &limits);
    CHECK((verdict.status == 0) == (verdict.detail == NULL));
    CHECK(verdict.status == 0 || (verdict.status >= 400 && verdict.status <= 599));
    if (verdict.status == 0)
        check_let_through(&head);
    arena_done(&arena);
    return 0;
}
