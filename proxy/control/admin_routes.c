#include "proxy/control/admin_routes.h"

#include <microhttpd.h>

#include "proxy/control/admin_pages.h"
#include "proxy/control/control_internal.h"

const struct admin_route admin_routes[] = {
    {"GET", "/ready", true, admin_ready},
    {"GET", "/metrics", true, admin_metrics},
    {"GET", "/", false, admin_index},
    {"GET", "/status", false, admin_status},
    {"GET", "/modules", false, admin_modules},
    {"GET", "/modules/*", false, admin_module},
    {"GET", "/backends", false, admin_backends},
    {"GET", "/routes", false, admin_routes_page},
    {"GET", "/config", false, admin_config},
    {"GET", "/history", false, admin_history},
    {"GET", "/diff", false, admin_diff},
    {"GET", "/generation", false, admin_generation},
    {"GET", "/mismatches", false, admin_mismatches},
    {"GET", "/mismatches/*", false, admin_mismatch},
    {"POST", "/mismatches/*/accept", false, admin_accept},
    {"POST", "/explain", false, admin_explain},
    {"POST", "/modules/*/stage", false, admin_stage},
    {"POST", "/modules/*/percent", false, admin_percent},
    {"POST", "/modules/*/abort", false, admin_abort},
    {"POST", "/modules/*/resume", false, admin_resume},
    {"POST", "/modules/*/writes", false, admin_writes},
    {"POST", "/modules/*/freeze", false, admin_freeze},
    {"POST", "/modules/*/unfreeze", false, admin_unfreeze},
    {"POST", "/modules/*/confirm", false, admin_confirm},
    {"POST", "/modules/*/save", false, admin_save},
    {"POST", "/abort", false, admin_abort},
    {"POST", "/resume", false, admin_resume},
    {"POST", "/save", false, admin_save},
    {"POST", "/undo", false, admin_undo},
    {"POST", "/reload", false, admin_reload},
    {"POST", "/endpoints/drain", false, admin_drain},
    {NULL, NULL, false, NULL},
};

/* --- from a request to its row ------------------------------------------------------------- */

/* Segment by segment; the pattern's `*` takes one that is not empty. */
static bool path_matches(struct strview pattern, struct strview path, struct strview *ret_name)
{
    for (;;) {
        struct strview wanted = strview_make(pattern.data, strview_find(pattern, '/'));
        struct strview segment = strview_make(path.data, strview_find(path, '/'));
        if (strview_equal(wanted, STRVIEW("*")) && segment.length > 0)
            *ret_name = segment;
        else if (!strview_equal(wanted, segment))
            return false;
        pattern = strview_from(pattern, wanted.length);
        path = strview_from(path, segment.length);
        if (pattern.length == 0 || path.length == 0)
            return pattern.length == path.length;
        pattern = strview_from(pattern, 1);
        path = strview_from(path, 1);
    }
}

/* GET also answers HEAD, without its body. */
static bool method_matches(const struct admin_route *route, struct strview method)
{
    struct strview wanted = strview_of(route->method);
    return strview_equal(method, wanted) ||
           (strview_equal(method, STRVIEW("HEAD")) && strview_equal(wanted, STRVIEW("GET")));
}

struct found_route {
    const struct admin_route *route;
    struct strview name;
    const char *allow; /* of a path that has rows, but not for this method */
    bool is_open;
};

static struct found_route find_route(const struct admin_request *request)
{
    struct found_route found = {.route = NULL};
    for (const struct admin_route *route = admin_routes; route->path != NULL; route++) {
        struct strview name = STRVIEW_NONE;
        if (!path_matches(strview_of(route->path), request->path, &name))
            continue;
        if (method_matches(route, request->method))
            return (struct found_route){.route = route, .name = name, .is_open = route->is_open};
        found.is_open = route->is_open;
        found.allow =
            strview_equal(strview_of(route->method), STRVIEW("GET")) ? "GET, HEAD" : route->method;
    }
    return found;
}

static void on_head(void *context, struct admin_request *request)
{
    struct control *control = context;
    struct found_route found = find_route(request);
    const char *detail = NULL;
    int status = 0;
    if (!found.is_open)
        status = admin_access_check(&control->admin_access,
                                    admin_request_field(request, "authorization"),
                                    admin_request_field(request, "host"), &detail);
    if (status != 0)
        admin_reply_problem(request, status, "%s", detail);
    else if (found.allow != NULL)
        admin_reply_not_allowed(request, found.allow);
    else if (found.route == NULL)
        admin_reply_problem(request, MHD_HTTP_NOT_FOUND,
                            "there is no such page; GET / names all of them");
    else if (request->has_too_long_body)
        admin_reply_problem(request, MHD_HTTP_CONTENT_TOO_LARGE, "a body has at most %d bytes",
                            ADMIN_BODY_BYTES_MAX);
}

/* Of "application/json; charset=utf-8": the part that decides. */
static bool is_json(const char *content_type)
{
    struct strview type = strview_of(content_type);
    type.length = strview_find(type, ';');
    return strview_equal_ignore_case(strview_trim(type), STRVIEW("application/json"));
}

/* The object of a body, empty for no body. NULL when the request has been answered. */
static json_t *read_body(struct admin_request *request)
{
    if (request->has_too_long_body) {
        admin_reply_problem(request, MHD_HTTP_CONTENT_TOO_LARGE, "a body has at most %d bytes",
                            ADMIN_BODY_BYTES_MAX);
        return NULL;
    }
    if (request->body.length == 0)
        return json_object();
    if (!is_json(admin_request_field(request, "content-type"))) {
        admin_reply_problem(request, MHD_HTTP_UNSUPPORTED_MEDIA_TYPE,
                            "a body is `content-type: application/json`");
        return NULL;
    }
    json_error_t error;
    json_t *body =
        json_loadb(request->body.data, request->body.length, JSON_REJECT_DUPLICATES, &error);
    if (body == NULL) {
        admin_reply_problem(request, MHD_HTTP_BAD_REQUEST, "the body is no JSON: %s (line %d, %d)",
                            error.text, error.line, error.column);
        return NULL;
    }
    if (json_is_object(body))
        return body;
    json_decref(body);
    admin_reply_problem(request, MHD_HTTP_BAD_REQUEST, "the body is no JSON object");
    return NULL;
}

static void on_request(void *context, struct admin_request *request)
{
    struct found_route found = find_route(request);
    json_t *body = read_body(request);
    if (body == NULL)
        return;
    struct admin_call call = {
        .control = context,
        .request = request,
        .name = found.name,
        .body = body,
    };
    found.route->run(&call);
    json_decref(body);
}

static void on_forgotten(void *context, struct admin_request *request)
{
    admin_change_forget(context, request);
}

const struct admin_events control_admin_events = {on_head, on_request, on_forgotten};
