/* POST /explain: the running configuration explains a request, and how its module is. */
#include "proxy/explain/explain.h"

#include <microhttpd.h>

#include "proxy/control/admin_body.h"
#include "proxy/control/admin_module.h"
#include "proxy/control/admin_pages.h"
#include "proxy/control/control_internal.h"

struct explain_body {
    struct strview method;
    struct strview url;
    struct strview from;
    const json_t *headers;
};

static const struct body_key keys[] = {
    {"method", BODY_TEXT, true, offsetof(struct explain_body, method), 0},
    {"url", BODY_TEXT, true, offsetof(struct explain_body, url), ADMIN_BODY_BYTES_MAX},
    {"from", BODY_TEXT, false, offsetof(struct explain_body, from), 0},
    {"headers", BODY_TEXTS, false, offsetof(struct explain_body, headers), 0},
    {NULL, BODY_TEXT, false, 0, 0},
};

static void add_live_state(json_t *found, const struct control *control)
{
    const char *name = json_string_value(json_object_get(json_object_get(found, "module"), "name"));
    const struct live_module *module =
        name != NULL ? live_state_find(control->live, strview_of(name)) : NULL;
    json_object_set_new(found, "generation", json_integer((json_int_t)control_generation(control)));
    json_object_set_new(found, "live", module != NULL ? json_live(module) : json_null());
}

void admin_explain(const struct admin_call *call)
{
    struct strview headers[EXPLAIN_HEADERS_MAX];
    struct explain_body body = {.from = STRVIEW("127.0.0.1")};
    if (!admin_body_read(call, keys, &body))
        return;
    size_t count = json_array_size(body.headers);
    if (count > EXPLAIN_HEADERS_MAX) {
        admin_reply_problem(call->request, MHD_HTTP_UNPROCESSABLE_CONTENT, "more than %d headers",
                            EXPLAIN_HEADERS_MAX);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        const json_t *item = json_array_get(body.headers, i);
        headers[i] = strview_make(json_string_value(item), json_string_length(item));
    }
    const struct explain_words words = {body.method, body.url, headers, count, body.from};
    struct fault fault;
    json_t *found = explain(call->control->publisher.current, &words, &fault);
    if (found == NULL) {
        admin_reply_problem(call->request, MHD_HTTP_UNPROCESSABLE_CONTENT, "%s", fault.text);
        return;
    }
    add_live_state(found, call->control);
    admin_reply_json_take(call->request, MHD_HTTP_OK, found);
}
