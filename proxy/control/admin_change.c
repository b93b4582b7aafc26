/* The POSTs that change a module: from a body to an order, from its result to an answer. */
#include "proxy/control/change.h"

#include <microhttpd.h>
#include <stdlib.h>

#include "proxy/control/admin_body.h"
#include "proxy/control/admin_history.h"
#include "proxy/control/admin_module.h"
#include "proxy/control/admin_pages.h"
#include "proxy/control/control_internal.h"
#include "proxy/core/array.h"

/* Who waits for the answer to an order. */
struct waiting_request {
    struct control *control;
    struct admin_request *request;
    char module[LIVE_NAME_BYTES];
};

/* --- answers ------------------------------------------------------------------------------- */

static json_t *json_result(const struct waiting_request *waiting,
                           const struct change_result *result)
{
    struct control *control = waiting->control;
    json_t *body =
        json_pack("{s:b, s:b, s:I, s:o, s:o}", "changed", (int)result->changed, "durable",
                  (int)result->durable, "generation", (json_int_t)result->generation, "entry",
                  result->entry > 0 ? json_integer((json_int_t)result->entry) : json_null(),
                  "changes", json_entry_changes(control, result->entry));
    module_stats_refresh(&control->stats);
    json_t *module = json_module(control, strview_of(waiting->module));
    if (module != NULL)
        json_object_set_new(body, "module", module);
    if (result->note[0] != '\0')
        json_object_set_new(body, "note", json_text(strview_of(result->note)));
    return body;
}

static void reply_refusal(const struct waiting_request *waiting, const struct change_result *result)
{
    struct strview suggestion = STRVIEW_NONE;
    if (result->status == MHD_HTTP_NOT_FOUND && waiting->module[0] != '\0')
        suggestion = suggest_module(waiting->control, strview_of(waiting->module));
    admin_reply_outcome(waiting->request, result, suggestion);
}

static void on_done(void *owner, const struct change_result *result)
{
    struct waiting_request *waiting = owner;
    waiting->request->owner = NULL;
    if (result->status == MHD_HTTP_OK)
        admin_reply_json_take(waiting->request, MHD_HTTP_OK, json_result(waiting, result));
    else
        reply_refusal(waiting, result);
    free(waiting);
}

void admin_change_forget(struct control *control, struct admin_request *request)
{
    if (request->owner == NULL)
        return;
    control_change_forget(control, request->owner);
    free(request->owner);
    request->owner = NULL;
}

/* --- orders -------------------------------------------------------------------------------- */

#define KEY(name, kind, member)                                                                    \
    {                                                                                              \
        name, kind, false, offsetof(struct change, member), 0                                      \
    }
#define NEEDED(name, kind, member)                                                                 \
    {                                                                                              \
        name, kind, true, offsetof(struct change, member), 0                                       \
    }
#define COMMON                                                                                     \
    {"why", BODY_TEXT, false, offsetof(struct change, why), LIVE_WHY_BYTES - 1},                   \
        {"who", BODY_TEXT, false, offsetof(struct change, who), LIVE_WHO_BYTES - 1},               \
        KEY("force", BODY_FLAG, force), KEY("confirm_within_ms", BODY_NUMBER, confirm_within_ms),  \
    {                                                                                              \
        NULL, BODY_TEXT, false, 0, 0                                                               \
    }

static void order(const struct admin_call *call, enum change_verb verb, const struct body_key *keys)
{
    struct change change = {.verb = verb, .module = call->name};
    if (!admin_body_read(call, keys, &change) || !admin_if_match(call, &change.if_generation))
        return;
    struct waiting_request *waiting = memory_zalloc(sizeof(*waiting));
    waiting->control = call->control;
    waiting->request = call->request;
    snprintf(waiting->module, sizeof(waiting->module), "%.*s", STRVIEW_ARGS(call->name));
    call->request->owner = waiting;
    control_change(call->control, &change, on_done, waiting);
}

void admin_stage(const struct admin_call *call)
{
    static const struct body_key keys[] = {NEEDED("stage", BODY_STAGE, stage), COMMON};
    order(call, CHANGE_STAGE, keys);
}

void admin_percent(const struct admin_call *call)
{
    static const struct body_key keys[] = {NEEDED("percent", BODY_PERCENT, threshold), COMMON};
    order(call, CHANGE_PERCENT, keys);
}

void admin_abort(const struct admin_call *call)
{
    static const struct body_key keys[] = {KEY("writes", BODY_FLAG, with_writes), COMMON};
    order(call, CHANGE_ABORT, keys);
}

void admin_writes(const struct admin_call *call)
{
    static const struct body_key keys[] = {NEEDED("owner", BODY_SIDE, owner),
                                           KEY("timeout_ms", BODY_NUMBER, timeout_ms), COMMON};
    order(call, CHANGE_WRITES, keys);
}

void admin_freeze(const struct admin_call *call)
{
    static const struct body_key keys[] = {KEY("max_wait_ms", BODY_NUMBER, max_wait_ms),
                                           KEY("ttl_ms", BODY_NUMBER, ttl_ms), COMMON};
    order(call, CHANGE_FREEZE, keys);
}

void admin_undo(const struct admin_call *call)
{
    static const struct body_key keys[] = {KEY("entry", BODY_NUMBER, undo_entry), COMMON};
    order(call, CHANGE_UNDO, keys);
}

static const struct body_key common_keys[] = {COMMON};

void admin_resume(const struct admin_call *call)
{
    order(call, CHANGE_RESUME, common_keys);
}

void admin_unfreeze(const struct admin_call *call)
{
    order(call, CHANGE_UNFREEZE, common_keys);
}

void admin_confirm(const struct admin_call *call)
{
    order(call, CHANGE_CONFIRM, common_keys);
}

void admin_reload(const struct admin_call *call)
{
    order(call, CHANGE_RELOAD, common_keys);
}
