#include "proxy/http/method.h"

static const struct strview names[METHOD_COUNT] = {
    [METHOD_GET] = {"GET", 3},           [METHOD_HEAD] = {"HEAD", 4},
    [METHOD_POST] = {"POST", 4},         [METHOD_PUT] = {"PUT", 3},
    [METHOD_DELETE] = {"DELETE", 6},     [METHOD_OPTIONS] = {"OPTIONS", 7},
    [METHOD_PATCH] = {"PATCH", 5},       [METHOD_QUERY] = {"QUERY", 5},
    [METHOD_TRACE] = {"TRACE", 5},       [METHOD_CONNECT] = {"CONNECT", 7},
    [METHOD_PROPFIND] = {"PROPFIND", 8}, [METHOD_PROPPATCH] = {"PROPPATCH", 9},
    [METHOD_MKCOL] = {"MKCOL", 5},       [METHOD_COPY] = {"COPY", 4},
    [METHOD_MOVE] = {"MOVE", 4},         [METHOD_LOCK] = {"LOCK", 4},
    [METHOD_UNLOCK] = {"UNLOCK", 6},     [METHOD_REPORT] = {"REPORT", 6},
    [METHOD_SEARCH] = {"SEARCH", 6},     [METHOD_MKCALENDAR] = {"MKCALENDAR", 10},
    [METHOD_ACL] = {"ACL", 3},           [METHOD_OTHER] = {"_OTHER", 6},
};

enum http_method http_method_parse(struct strview text)
{
    /* The common ones come first, and lengths differ before bytes are looked at. */
    for (int method = METHOD_GET; method < METHOD_OTHER; method++) {
        if (strview_equal(text, names[method]))
            return (enum http_method)method;
    }
    return METHOD_OTHER;
}

struct strview http_method_name(enum http_method method)
{
    return names[method];
}
