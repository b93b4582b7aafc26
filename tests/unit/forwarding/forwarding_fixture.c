#include "tests/unit/forwarding/forwarding_fixture.h"

#include <stdio.h>

int forwarded_set_up(void **state)
{
    static struct forwarded fixture;
    struct forwarded *f = &fixture;
    *f = (struct forwarded){.result.request_id = STRVIEW_NONE};
    arena_init(&f->arena, NULL);
    f->request = (struct request_head){
        .method = METHOD_GET,
        .method_text = STRVIEW("GET"),
        .scheme = STRVIEW("http"),
        .authority = STRVIEW("example.org"),
        .target = STRVIEW("/"),
        .path = STRVIEW("/"),
        .content_length = CONTENT_LENGTH_UNKNOWN,
    };
    headers_init(&f->request.headers);
    for (int i = 0; i < FORWARDING_RANDOM_BYTES; i++)
        f->random[i] = (uint8_t)(i + 1);
    f->facts = (struct forwarding_facts){
        .connection_address = STRVIEW("192.0.2.7"),
        .version = STRVIEW("2.0"),
        .now_ms = 0x0123456789ab,
        .random = f->random,
    };
    *state = f;
    return 0;
}

int forwarded_tear_down(void **state)
{
    struct forwarded *f = *state;
    arena_done(&f->arena);
    return 0;
}

void forwarded_add(struct forwarded *f, const char *name, const char *value)
{
    struct strview view = strview_of(name);
    headers_add(&f->request.headers, &f->arena, header_token_of(view), view, strview_of(value));
}

const char *forwarded_text(struct forwarded *f, const struct headers *headers)
{
    size_t used = 0;
    f->text[0] = '\0';
    for (uint32_t i = 0; i < headers->count; i++) {
        const struct header_field *field = &headers->fields[i];
        assert_int_equal(field->token, header_token_of(field->name));
        used += (size_t)snprintf(f->text + used, sizeof(f->text) - used, "%.*s: %.*s\n",
                                 STRVIEW_ARGS(field->name), STRVIEW_ARGS(field->value));
        assert_true(used < sizeof(f->text));
    }
    return f->text;
}

const char *forwarded_run(struct forwarded *f)
{
    forwarding_request(&f->request, &f->facts, &f->arena, &f->headers, &f->result);
    return forwarded_text(f, &f->headers);
}
