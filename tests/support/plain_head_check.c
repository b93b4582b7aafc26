#include "tests/support/plain_head_check.h"

#include <llhttp.h>

#include "proxy/backend/http1_plain_head.h"
#include "proxy/core/check.h"

enum { TEXT_BYTES = 2 * HTTP1_PLAIN_HEAD_BYTES };

/* --- llhttp's reading, as text --------------------------------------------------------------- */

struct text {
    char bytes[TEXT_BYTES];
    size_t used;
};

static void add(struct text *text, const char *bytes, size_t length)
{
    CHECK(text->used + length <= TEXT_BYTES);
    memcpy(text->bytes + text->used, bytes, length);
    text->used += length;
}

/* Blanks around a value are not part of it. */
static void end_value(struct text *text)
{
    while (text->used > 0 &&
           (text->bytes[text->used - 1] == ' ' || text->bytes[text->used - 1] == '\t'))
        text->used--;
    add(text, "\n", 1);
}

static int on_field(llhttp_t *parser, const char *at, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        char lower = ascii_lower(at[i]);
        add(parser->data, &lower, 1);
    }
    return 0;
}

static int on_field_complete(llhttp_t *parser)
{
    add(parser->data, "=", 1);
    return 0;
}

static int on_value(llhttp_t *parser, const char *at, size_t length)
{
    add(parser->data, at, length);
    return 0;
}

static int on_value_complete(llhttp_t *parser)
{
    end_value(parser->data);
    return 0;
}

static int on_complete(llhttp_t *parser)
{
    (void)parser;
    return HPE_PAUSED;
}

static bool parser_reads(llhttp_t *parser, struct text *text, struct strview bytes)
{
    static const llhttp_settings_t settings = {
        .on_header_field = on_field,
        .on_header_field_complete = on_field_complete,
        .on_header_value = on_value,
        .on_header_value_complete = on_value_complete,
        .on_headers_complete = on_complete,
    };
    llhttp_init(parser, HTTP_RESPONSE, &settings);
    parser->data = text;
    text->used = 0;
    return llhttp_execute(parser, bytes.data, bytes.length) == HPE_PAUSED;
}

/* --- ours ------------------------------------------------------------------------------------ */

static void write_fields(struct text *text, const struct headers *headers)
{
    text->used = 0;
    for (uint32_t i = 0; i < headers->count; i++) {
        const struct header_field *field = &headers->fields[i];
        CHECK(field->token == header_token_of(field->name));
        add(text, field->name.data, field->name.length);
        add(text, "=", 1);
        add(text, field->value.data, field->value.length);
        add(text, "\n", 1);
    }
}

static void check_says_the_same(const struct response_builder *builder, enum http_method method,
                                struct strview head)
{
    static struct text theirs;
    static struct text ours;
    llhttp_t parser;
    CHECK(parser_reads(&parser, &theirs, head));
    CHECK(llhttp_get_error_pos(&parser) == head.data + head.length);
    write_fields(&ours, &builder->head.headers);
    CHECK(ours.used == theirs.used && memcmp(ours.bytes, theirs.bytes, ours.used) == 0);
    CHECK(parser.status_code == builder->head.status && parser.upgrade == 0);
    CHECK(parser.http_major == 1 && parser.http_minor == 1);
    CHECK((parser.flags & (F_CHUNKED | F_TRANSFER_ENCODING | F_CONNECTION_CLOSE)) == 0);
    bool has_length = (parser.flags & F_CONTENT_LENGTH) != 0;
    CHECK(has_length == (builder->head.content_length != CONTENT_LENGTH_UNKNOWN));
    CHECK(method == METHOD_HEAD || llhttp_should_keep_alive(&parser));
    CHECK(!has_length || parser.content_length == (uint64_t)builder->head.content_length);
}

static void check_untouched(const struct response_builder *builder)
{
    CHECK(builder->bytes == 0 && builder->head.headers.count == 0);
    CHECK(builder->head.content_length == CONTENT_LENGTH_UNKNOWN);
}

size_t plain_head_check(enum http_method method, struct strview bytes)
{
    struct arena arena;
    struct response_builder builder;
    arena_init(&arena, NULL);
    response_builder_init(&builder);
    size_t length = http1_plain_head(&builder, &arena, method, bytes);
    CHECK(length <= bytes.length);
    if (length > 0)
        check_says_the_same(&builder, method, strview_make(bytes.data, length));
    else
        check_untouched(&builder);
    arena_done(&arena);
    return length;
}
