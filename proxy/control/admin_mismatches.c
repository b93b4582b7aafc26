/* GET /mismatches and /mismatches/N, POST /mismatches/N/accept: where the two sides differ. */
#include <microhttpd.h>
#include <stdio.h>
#include <unistd.h>

#include "proxy/control/admin_body.h"
#include "proxy/control/admin_module.h"
#include "proxy/control/admin_pages.h"
#include "proxy/control/control_internal.h"
#include "proxy/core/log.h"

enum { LIMIT_DEFAULT = 50, PATH_BYTES = 4096 };

/* Was anything ever compared? The store is not made for being asked. */
static bool has_store(const struct control *control)
{
    char path[PATH_BYTES];
    int length = snprintf(path, sizeof(path), "%s/mismatches.db", control->state_dir);
    return control->mismatches != NULL ||
           (length > 0 && length < (int)sizeof(path) && access(path, F_OK) == 0);
}

/* False after answering. */
static bool open_store(const struct admin_call *call)
{
    struct fault fault;
    if (control_open_mismatches(call->control, &fault))
        return true;
    admin_reply_problem(call->request, MHD_HTTP_SERVICE_UNAVAILABLE, "%s", fault.text);
    return false;
}

/* A fault without text means that there is none. */
static void reply_missing(const struct admin_call *call, const struct fault *fault)
{
    if (fault->text[0] != '\0')
        admin_reply_problem(call->request, MHD_HTTP_SERVICE_UNAVAILABLE, "%s", fault->text);
    else
        admin_reply_problem(call->request, MHD_HTTP_NOT_FOUND,
                            "there is no mismatch `%.*s`; `strangler mismatches` shows all",
                            STRVIEW_ARGS(call->name));
}

/* The number in the path; false after answering. */
static bool read_number(const struct admin_call *call, uint64_t *ret_number)
{
    const struct fault none = {.text = ""};
    if (has_store(call->control) && strview_to_u64(call->name, INT64_MAX, ret_number))
        return true;
    reply_missing(call, &none);
    return false;
}

static bool read_limit(const struct admin_call *call, uint64_t *ret_limit)
{
    const char *text = admin_request_parameter(call->request, "limit");
    *ret_limit = LIMIT_DEFAULT;
    if (text == NULL ||
        (strview_to_u64(strview_of(text), MISMATCH_GROUPS_MAX, ret_limit) && *ret_limit > 0))
        return true;
    admin_reply_problem(call->request, MHD_HTTP_UNPROCESSABLE_CONTENT,
                        "`limit` is a number from 1 to %d", MISMATCH_GROUPS_MAX);
    return false;
}

void admin_mismatches(const struct admin_call *call)
{
    uint64_t limit;
    struct fault fault;
    struct strview module = strview_of(admin_request_parameter(call->request, "module"));
    if (!read_limit(call, &limit))
        return;
    if (module.length > 0 && live_state_find(call->control->live, module) == NULL) {
        admin_reply_suggestion(call->request, MHD_HTTP_NOT_FOUND,
                               suggest_module(call->control, module), "no module is called `%.*s`",
                               STRVIEW_ARGS(module));
        return;
    }
    if (has_store(call->control) && !open_store(call))
        return;
    json_t *list = has_store(call->control) ? mismatch_store_list(call->control->mismatches, module,
                                                                  (uint32_t)limit, &fault)
                                            : json_array();
    if (list != NULL)
        admin_reply_json_take(call->request, MHD_HTTP_OK, json_pack("{s:o}", "mismatches", list));
    else
        admin_reply_problem(call->request, MHD_HTTP_SERVICE_UNAVAILABLE, "%s", fault.text);
}

void admin_mismatch(const struct admin_call *call)
{
    uint64_t number;
    struct fault fault = {.text = ""};
    if (!read_number(call, &number) || !open_store(call))
        return;
    json_t *found = mismatch_store_show(call->control->mismatches, number, &fault);
    if (found != NULL)
        admin_reply_json_take(call->request, MHD_HTTP_OK, found);
    else
        reply_missing(call, &fault);
}

struct accept_body {
    struct strview who;
    struct strview why;
};

static const struct body_key keys[] = {
    {"why", BODY_TEXT, true, offsetof(struct accept_body, why), LIVE_WHY_BYTES - 1},
    {"who", BODY_TEXT, false, offsetof(struct accept_body, who), LIVE_WHO_BYTES - 1},
    {NULL, BODY_TEXT, false, 0, 0},
};

void admin_accept(const struct admin_call *call)
{
    uint64_t number;
    struct fault fault = {.text = ""};
    struct accept_body body = {.who = STRVIEW_NONE};
    struct control *control = call->control;
    if (!admin_body_read(call, keys, &body) || !read_number(call, &number) || !open_store(call))
        return;
    if (!mismatch_store_accept(control->mismatches, number, body.who, body.why,
                               control->loop.wall_ms, &fault)) {
        reply_missing(call, &fault);
        return;
    }
    log_info("mismatch %llu is accepted by %.*s", (unsigned long long)number,
             STRVIEW_ARGS(body.who));
    json_t *mismatch = mismatch_store_show(control->mismatches, number, &fault);
    admin_reply_json_take(call->request, MHD_HTTP_OK,
                          json_pack("{s:b, s:b, s:I, s:o, s:o*}", "changed", 1, "durable", 1,
                                    "generation", (json_int_t)control_generation(control), "entry",
                                    json_null(), "mismatch", mismatch));
}
