/* Clients of a listener in clear are sent to where TLS is spoken, and those that speak it are told
 * to go on doing so. */
#include "proxy/exchange/exchange_internal.h"

enum { HTTPS_PORT = 443, PERMANENT_REDIRECT = 308 };

/* A proxy in front of us that is trusted may have taken the TLS off. */
static bool came_by_tls(const struct exchange *exchange)
{
    if (!exchange->trusted)
        return strview_equal(exchange->connection->scheme, STRVIEW("https"));
    const struct header_field *said =
        headers_find(&exchange->request->headers, HEADER_X_FORWARDED_PROTO);
    return strview_equal(exchange->request->scheme, STRVIEW("https")) ||
           (said != NULL && strview_equal_ignore_case(said->value, STRVIEW("https")));
}

/* Without the port, which is the other listener's. */
static struct strview host_of(struct strview authority)
{
    size_t end = authority.length;
    while (end > 0 && authority.data[end - 1] >= '0' && authority.data[end - 1] <= '9')
        end--;
    if (end > 0 && authority.data[end - 1] == ':')
        return strview_make(authority.data, end - 1);
    return authority;
}

bool exchange_redirects(struct exchange *exchange)
{
    uint16_t port = exchange->connection->redirect_port;
    if (port == 0 || came_by_tls(exchange))
        return false;
    const struct request_head *request = exchange->request;
    /* `OPTIONS *` is about the server: a URI without a path (RFC 9112 section 3.2.4). */
    bool has_path = request->path_kind != PATH_ASTERISK;
    struct strview authority = host_of(request->authority);
    if (port != HTTPS_PORT)
        authority = arena_printf(exchange->arena, "%.*s:%u", STRVIEW_ARGS(authority), port);
    exchange->location = arena_printf(
        exchange->arena, "https://%.*s%.*s%.*s", STRVIEW_ARGS(authority),
        STRVIEW_ARGS(has_path ? request->path : STRVIEW_NONE), STRVIEW_ARGS(request->query));
    exchange->plan.reason = REASON_REDIRECT;
    exchange_reply_locally(exchange, PERMANENT_REDIRECT, NULL);
    return true;
}

/* RFC 6797 section 7.1; what the backend says of itself stays. */
void exchange_add_hsts(struct exchange *exchange)
{
    struct headers *headers = &exchange->response.headers;
    struct strview name = STRVIEW("strict-transport-security");
    if (headers_find_name(headers, name) != NULL)
        return;
    headers_add(headers, exchange->arena, HEADER_OTHER, name,
                arena_printf(exchange->arena, "max-age=%u", exchange->connection->hsts_s));
}
