/* The request as it is asked of both sides: of the second, and now and then of the first again. */
#include "proxy/shadow/shadow_internal.h"

/* Fields of our own: the mark, x-original-path, and two for a write. */
enum { OWN_FIELDS = 4 };

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
    if (name.length < 5 || (name.data[0] != 'i' && name.data[0] != 'r'))
        return false;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strview_equal(name, strview_of(names[i])))
            return true;
    }
    return false;
}

/* The same fields, but for what says where the client wanted to go. */
static void copy_without_original_path(struct shadow *shadow)
{
    const struct headers *all = &shadow->headers[0];
    headers_init(&shadow->headers[1]);
    for (uint32_t i = 0; i < all->count; i++) {
        const struct header_field *field = &all->fields[i];
        if (field->token != HEADER_X_ORIGINAL_PATH)
            headers_add(&shadow->headers[1], &shadow->memory.arena, field->token, field->name,
                        field->value);
    }
}

/*
 * What the first side gets says where the client wanted to go if that is somewhere else; so it is
 * for the second, whose path may be rewritten while the first's is not, or the reverse. Both have
 * one and the same array otherwise; only the second's gets longer after this.
 */
static void copy_headers(struct shadow *shadow, const struct shadow_request *request)
{
    struct arena *arena = &shadow->memory.arena;
    struct headers *headers = &shadow->headers[0];
    headers_copy(request->request->headers, OWN_FIELDS, arena, headers);
    for (uint32_t i = 0; i < headers->count && !shadow->conditional; i++)
        shadow->conditional = is_condition(headers->fields[i].name);
    headers_add(headers, arena, HEADER_X_STRANGLER, STRVIEW("x-strangler-shadow"), STRVIEW("1"));
    bool first_is_rewritten = !strview_equal(request->first_path, request->original_path);
    bool second_is_rewritten = !strview_equal(request->second_path, request->original_path);
    if (first_is_rewritten || second_is_rewritten)
        copy_without_original_path(shadow);
    else
        shadow->headers[1] = *headers;
    if (second_is_rewritten)
        shadow_add_field(shadow, 1, "x-original-path", shadow->original_path);
}

/* Views that still point into the client's memory get bytes of the shadow's, in one piece. */
static void copy_texts(struct shadow *shadow)
{
    struct backend_request *requests = shadow->requests;
    struct strview *const texts[] = {
        &requests[0].method_text, &requests[0].scheme, &requests[0].authority, &requests[0].query,
        &requests[0].path,        &requests[1].path,   &shadow->original_path, &shadow->request_id,
    };
    arena_copy_all(&shadow->memory.arena, texts, sizeof(texts) / sizeof(texts[0]));
    requests[1].method_text = requests[0].method_text;
    requests[1].scheme = requests[0].scheme;
    requests[1].authority = requests[0].authority;
    requests[1].query = requests[0].query;
}

void shadow_copy_request(struct shadow *shadow, const struct shadow_request *request)
{
    const struct backend_request *from = request->request;
    for (size_t side = 0; side < 2; side++) {
        shadow->requests[side] = (struct backend_request){
            .method = from->method,
            .method_text = from->method_text,
            .scheme = from->scheme,
            .authority = from->authority,
            .path = side == 0 ? request->first_path : request->second_path,
            .query = from->query,
            .headers = &shadow->headers[side],
            .content_length = from->content_length,
            .has_body = from->has_body,
        };
    }
    shadow->original_path = request->original_path;
    shadow->request_id = request->request_id;
    shadow->route = request->route;
    copy_texts(shadow);
    copy_headers(shadow, request);
    if (request->is_write && headers_find_name(from->headers, STRVIEW("idempotency-key")) == NULL)
        shadow_add_field(shadow, 1, "idempotency-key", shadow->request_id);
}
