/* What a request asked for by an override or a pin, and what becomes of it. */
#include "proxy/explain/explain_internal.h"

/* Why a side that was asked for rightly does not serve the request. */
static const char *overruled_note(const struct plan *plan, enum side side)
{
    if (plan->reason == REASON_RETIRED || cutover_is_closed(plan->module, side))
        return "does not count: that side is closed in this stage";
    if (plan->module->aborted)
        return "does not count: the module is aborted";
    if (plan->reason == REASON_FREEZE)
        return "waits, like every write of the module";
    if (plan->is_write)
        return "does not count: a write goes to its owner unless the module has `shared_store`";
    return "does not count: the override goes before it";
}

static const char *override_note(const struct explanation *explanation)
{
    const struct plan *plan = &explanation->plan;
    switch (plan->override) {
    case OVERRIDE_UNKNOWN:
        return "does not count: the words are `legacy` and `extracted`";
    case OVERRIDE_NOT_ALLOWED:
        return explanation->snapshot->override_token_unread
                   ? "the client is none of `trusted_clients`, and the token cannot be read here"
                   : "does not count: none of `trusted_clients`, and without the token";
    case OVERRIDE_GOOD:
        break;
    case OVERRIDE_ABSENT:
        return "";
    }
    return plan->reason == REASON_OVERRIDE ? "decides" : overruled_note(plan, plan->override_side);
}

json_t *explain_json_override(const struct explanation *explanation)
{
    const struct plan *plan = &explanation->plan;
    if (plan->override == OVERRIDE_ABSENT)
        return json_null();
    json_t *side = plan->override == OVERRIDE_UNKNOWN
                       ? json_null()
                       : json_string(side_name(plan->override_side).data);
    return json_pack("{s:o, s:b, s:s}", "side", side, "decides",
                     (int)(plan->reason == REASON_OVERRIDE), "note", override_note(explanation));
}

static const char *pin_note(const struct plan *plan)
{
    switch (plan->pin) {
    case PIN_NO_KEYS:
        return "cannot be verified here: there are no keys";
    case PIN_MALFORMED:
        return "does not count: it is none of ours";
    case PIN_EXPIRED:
        return "does not count: it is over";
    case PIN_FORGED:
        return "does not count: no key of ours signed it";
    case PIN_GOOD:
        break;
    case PIN_ABSENT:
        return "";
    }
    return plan->reason == REASON_PIN ? "decides" : overruled_note(plan, plan->pin_held.side);
}

json_t *explain_json_pin(const struct explanation *explanation)
{
    const struct plan *plan = &explanation->plan;
    if (plan->pin == PIN_ABSENT)
        return json_null();
    bool good = plan->pin == PIN_GOOD;
    json_t *side = good ? json_string(side_name(plan->pin_held.side).data) : json_null();
    json_t *left = good
                       ? json_integer((json_int_t)(plan->pin_held.expires_ms - explanation->now_ms))
                       : json_null();
    return json_pack("{s:o, s:o, s:b, s:s}", "side", side, "left_ms", left, "decides",
                     (int)(plan->reason == REASON_PIN), "note", pin_note(plan));
}
