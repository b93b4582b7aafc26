#include "monolith_stub/route.h"

#include <string.h>

static char lower(char byte)
{
    return byte >= 'A' && byte <= 'Z' ? (char)(byte - 'A' + 'a') : byte;
}

static size_t segment_length(const char *at, const char *end)
{
    const char *slash = memchr(at, '/', (size_t)(end - at));
    return slash == NULL ? (size_t)(end - at) : (size_t)(slash - at);
}

/* One slash at the end counts as none, but "//" is not "/" and "/api//" is not "/api". */
static const char *path_end(struct text_view path)
{
    size_t length = path.length;
    if (length > 1 && path.bytes[length - 1] == '/' && path.bytes[length - 2] != '/')
        length--;
    return path.bytes + length;
}

bool route_match(const char *pattern, struct request *request)
{
    const char *at = request->path.bytes;
    const char *end = path_end(request->path);
    unsigned found = 0;
    while (*pattern != 0) {
        if (pattern[0] == '{' && pattern[1] == '}') {
            size_t length = segment_length(at, end);
            if (length == 0 || found == REQUEST_PARAMETERS)
                return false;
            request->parameters[found++] = (struct text_view){at, length};
            at += length;
            pattern += 2;
            continue;
        }
        if (at == end || lower(*at) != *pattern)
            return false;
        at++;
        pattern++;
    }
    return at == end;
}

static void allow(struct reply *reply, const char *method)
{
    for (unsigned i = 0; i < reply->allow_count; i++) {
        if (strcmp(reply->allow[i], method) == 0)
            return;
    }
    if (reply->allow_count < REPLY_ALLOW_LIMIT)
        reply->allow[reply->allow_count++] = method;
}

static void allow_route(struct reply *reply, const struct route *route)
{
    if (strcmp(route->method, "GET") == 0)
        allow(reply, "HEAD");
    allow(reply, route->method);
}

static bool takes_method(const struct route *route, const char *method)
{
    bool is_head = strcmp(method, "HEAD") == 0;
    return strcmp(route->method, is_head ? "GET" : method) == 0;
}

static bool is_known_method(const char *method)
{
    static const char *const known[] = {"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"};
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (strcmp(known[i], method) == 0)
            return true;
    }
    return false;
}

const struct route *route_find(const struct route *routes, size_t count, struct request *request)
{
    for (size_t i = 0; i < count; i++) {
        if (takes_method(&routes[i], request->method) && route_match(routes[i].pattern, request))
            return &routes[i];
    }
    return NULL;
}

/* RFC 9110 section 9.1 (501) and section 15.5.6 (405 has to carry Allow). */
void route_answer_without(const struct route *routes, size_t count, struct request *request,
                          struct reply *reply)
{
    for (size_t i = 0; i < count; i++) {
        if (route_match(routes[i].pattern, request))
            allow_route(reply, &routes[i]);
    }
    if (!is_known_method(request->method))
        reply_text(reply, 501, "Not Implemented");
    else if (reply->allow_count == 0)
        reply_text(reply, 404, "Not Found");
    else if (strcmp(request->method, "OPTIONS") == 0)
        reply_nothing(reply);
    else
        reply_text(reply, 405, "Method Not Allowed");
}
