/* The request as it is asked of both sides: of the second, and now and then of the first again. */
#include "proxy/shadow/shadow_internal.h"

void shadow_add_field(struct shadow *shadow, size_t side, const char *name, struct strview value)
{
    struct strview text = strview_of(name);
    headers_add(&shadow->headers[side], &shadow->memory.arena, header_token_of(text), text, value);
}

static bool is_condition(struct strview name)
{
    static const char *const names[] = {"if-match",          "if-none-match",
                                        "if-modified-since", "if-unmodified-since",
                                        "if-range",          "range"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strview_equal(name, strview_of(names[i])))
            return true;
    }
    return false;
}

/* What the first side gets says where the client wanted to go if that is somewhere else; so it is
 * for the second, whose path may be rewritten while the first's is not, or the reverse. */
static void copy_headers(struct shadow *shadow, const struct shadow_request *request)
{
    struct arena *arena = &shadow->memory.arena;
    const struct headers *headers = request->request->headers;
    bool first_is_rewritten = !strview_equal(request->first_path, request->original_path);
    bool second_is_rewritten = !strview_equal(request->second_path, request->original_path);
    for (uint32_t i = 0; i < headers->count; i++) {
        const struct header_field *field = &headers->fields[i];
        struct strview name = arena_copy(arena, field->name);
        struct strview value = arena_copy(arena, field->value);
        shadow->conditional = shadow->conditional || is_condition(name);
        headers_add(&shadow->headers[0], arena, field->token, name, value);
        bool of_first_path =
            field->token == HEADER_X_ORIGINAL_PATH && (first_is_rewritten || second_is_rewritten);
        if (!of_first_path)
            headers_add(&shadow->headers[1], arena, field->token, name, value);
    }
    if (second_is_rewritten)
        shadow_add_field(shadow, 1, "x-original-path", arena_copy(arena, request->original_path));
}

void shadow_copy_request(struct shadow *shadow, const struct shadow_request *request)
{
    struct arena *arena = &shadow->memory.arena;
    const struct backend_request *from = request->request;
    headers_init(&shadow->headers[0]);
    headers_init(&shadow->headers[1]);
    copy_headers(shadow, request);
    for (size_t side = 0; side < 2; side++) {
        shadow_add_field(shadow, side, "x-strangler-shadow", STRVIEW("1"));
        struct strview path = side == 0 ? request->first_path : request->second_path;
        shadow->requests[side] = (struct backend_request){
            .method = from->method,
            .method_text = arena_copy(arena, from->method_text),
            .scheme = arena_copy(arena, from->scheme),
            .authority = arena_copy(arena, from->authority),
            .path = arena_copy(arena, path),
            .query = arena_copy(arena, from->query),
            .headers = &shadow->headers[side],
            .content_length = from->content_length,
            .has_body = from->has_body,
        };
    }
    shadow->original_path = arena_copy(arena, request->original_path);
    shadow->route = arena_copy(arena, request->route);
    shadow->request_id = arena_copy(arena, request->request_id);
    bool has_key = headers_find_name(from->headers, STRVIEW("idempotency-key")) != NULL;
    if (request->is_write && !has_key)
        shadow_add_field(shadow, 1, "idempotency-key", shadow->request_id);
}
