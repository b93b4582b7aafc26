#include "proxy/exchange/local_reply.h"

#include "proxy/http/status.h"

/* Request ids are ours or were checked to hold nothing that JSON would have to escape. */
static struct strview make_body(int status, const char *detail, struct strview request_id,
                                struct arena *arena)
{
    struct strview body =
        arena_printf(arena, "{\"type\":\"about:blank\",\"title\":\"%s\",\"status\":%d",
                     status_phrase(status), status);
    if (detail != NULL)
        body = arena_printf(arena, "%.*s,\"detail\":\"%s\"", STRVIEW_ARGS(body), detail);
    if (request_id.length > 0)
        body = arena_printf(arena, "%.*s,\"request_id\":\"%.*s\"", STRVIEW_ARGS(body),
                            STRVIEW_ARGS(request_id));
    return arena_printf(arena, "%.*s}\n", STRVIEW_ARGS(body));
}

static void add_content_fields(struct response_head *head, struct arena *arena)
{
    headers_add(&head->headers, arena, HEADER_CONTENT_TYPE, STRVIEW("content-type"),
                STRVIEW("application/problem+json"));
    headers_add(&head->headers, arena, HEADER_CONTENT_LENGTH, STRVIEW("content-length"),
                arena_printf(arena, "%lld", (long long)head->content_length));
}

void local_reply_make(enum http_method method, int status, const char *detail,
                      struct strview request_id, struct arena *arena, struct local_reply *ret_reply)
{
    struct strview body = make_body(status, detail, request_id, arena);
    struct response_head head = {.status = status, .content_length = (int64_t)body.length};
    headers_init(&head.headers);
    if (status != 204)
        add_content_fields(&head, arena);
    headers_add(&head.headers, arena, HEADER_CACHE_CONTROL, STRVIEW("cache-control"),
                STRVIEW("no-store"));
    if (status == 503)
        headers_add(&head.headers, arena, HEADER_OTHER, STRVIEW("retry-after"), STRVIEW("1"));
    if (status == 405 || status == 204)
        headers_add(&head.headers, arena, HEADER_OTHER, STRVIEW("allow"),
                    STRVIEW("GET, HEAD, POST, PUT, DELETE, OPTIONS, PATCH"));
    head.has_body = !response_has_no_content(method, status);
    *ret_reply = (struct local_reply){.head = head, .body = body};
}
