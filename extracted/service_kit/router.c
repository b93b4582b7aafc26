#include "extracted/service_kit/router.h"

#include <string.h>

static bool same_letter(char from_path, char from_pattern)
{
    if (from_path >= 'A' && from_path <= 'Z')
        from_path = (char)(from_path | 0x20);
    return from_path == from_pattern;
}

/* The path without the one slash that may end it. "/" is that slash alone; "//" is not "/". */
static struct http_view without_last_slash(struct http_view path)
{
    size_t length = path.length;
    if (length >= 2 && path.bytes[length - 1] == '/' && path.bytes[length - 2] != '/')
        path.length--;
    return path;
}

static struct http_view take_segment(struct http_view *rest)
{
    const char *slash = memchr(rest->bytes, '/', rest->length);
    struct http_view segment = *rest;
    if (slash != NULL)
        segment.length = (size_t)(slash - rest->bytes);
    rest->bytes += segment.length;
    rest->length -= segment.length;
    return segment;
}

static bool matches(const char *pattern, struct http_request *request)
{
    struct http_view rest = without_last_slash(request->path);
    unsigned parameter = 0;
    for (; *pattern != 0; pattern++) {
        if (rest.length == 0)
            return false;
        if (*pattern != '{') {
            if (!same_letter(*rest.bytes, *pattern))
                return false;
            rest.bytes++;
            rest.length--;
            continue;
        }
        struct http_view segment = take_segment(&rest);
        if (segment.length == 0 || parameter == HTTP_PARAMETERS)
            return false;
        request->parameters[parameter++] = segment;
        pattern++; /* the closing brace */
    }
    return rest.length == 0;
}

static bool accepts(const struct http_route *route, struct http_view method)
{
    return http_view_equals(method, route->method) ||
           (http_view_equals(method, "HEAD") && strcmp(route->method, "GET") == 0);
}

void router_read_target(struct http_request *request, struct http_view method,
                        struct http_view path_and_query)
{
    request->method = method;
    request->path = path_and_query;
    request->query = (struct http_view){"", 0};
    const char *mark = NULL;
    if (path_and_query.length > 0)
        mark = memchr(path_and_query.bytes, '?', path_and_query.length);
    if (mark == NULL)
        return;
    request->path.length = (size_t)(mark - path_and_query.bytes);
    request->query.bytes = mark + 1;
    request->query.length = path_and_query.length - request->path.length - 1;
}

const struct http_route *router_find(const struct router *router, struct http_request *request)
{
    for (size_t i = 0; i < router->count; i++) {
        const struct http_route *route = &router->routes[i];
        if (accepts(route, request->method) && matches(route->pattern, request))
            return route;
    }
    return NULL;
}

static void add_allow(struct http_reply *reply, const char *method)
{
    for (unsigned i = 0; i < reply->allow_count; i++) {
        if (strcmp(reply->allow[i], method) == 0)
            return;
    }
    if (reply->allow_count < HTTP_ALLOW)
        reply->allow[reply->allow_count++] = method;
}

static void collect_allow(const struct router *router, struct http_request *request,
                          struct http_reply *reply)
{
    for (size_t i = 0; i < router->count; i++) {
        const struct http_route *route = &router->routes[i];
        if (!matches(route->pattern, request))
            continue;
        if (strcmp(route->method, "GET") == 0)
            add_allow(reply, "HEAD");
        add_allow(reply, route->method);
    }
}

static bool is_implemented(struct http_view method)
{
    static const char *const methods[] = {"GET", "HEAD",  "OPTIONS", "POST",
                                          "PUT", "PATCH", "DELETE"};
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        if (http_view_equals(method, methods[i]))
            return true;
    }
    return false;
}

/* RFC 9110: section 9.1 for 501, 15.5.6 for 405, 9.3.7 for OPTIONS. */
void router_refuse(const struct router *router, struct http_request *request,
                   struct http_reply *reply)
{
    collect_allow(router, request, reply);
    if (!is_implemented(request->method))
        http_reply_text(reply, 501, "Not Implemented");
    else if (reply->allow_count == 0)
        http_reply_text(reply, 404, "Not Found");
    else if (http_view_equals(request->method, "OPTIONS"))
        http_reply_nothing(reply);
    else
        http_reply_text(reply, 405, "Method Not Allowed");
}
