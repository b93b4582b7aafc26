#include "proxy/control/admin_pages.h"

#include <microhttpd.h>

#include "proxy/control/control_internal.h"

static json_t *json_generation(const struct control *control)
{
    return json_integer((json_int_t)control->publisher.current->generation);
}

void admin_ready(const struct admin_call *call)
{
    const struct control *control = call->control;
    bool ready = control->publisher.current != NULL && !control->draining;
    json_t *body = json_pack("{s:b, s:o}", "ready", (int)ready, "generation",
                             ready ? json_generation(control) : json_integer(0));
    admin_reply_json_take(call->request, ready ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE, body);
}

void admin_index(const struct admin_call *call)
{
    json_t *pages = json_array();
    for (const struct admin_route *route = admin_routes; route->path != NULL; route++)
        json_array_append_new(
            pages, json_pack("{s:s, s:s}", "method", route->method, "path", route->path));
    admin_reply_json_take(call->request, MHD_HTTP_OK, json_pack("{s:o}", "pages", pages));
}

void admin_generation(const struct admin_call *call)
{
    admin_reply_json_take(call->request, MHD_HTTP_OK,
                          json_pack("{s:o}", "generation", json_generation(call->control)));
}
