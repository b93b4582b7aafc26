#include "proxy/control/change_rules.h"

#include <stdarg.h>
#include <stdio.h>

#include "proxy/routing/bucket.h"

/* --- answers ------------------------------------------------------------------------------- */

static const char *title_of(int status)
{
    switch (status) {
    case 404:
        return "Not Found";
    case 409:
        return "Conflict";
    case 412:
        return "Precondition Failed";
    case 422:
        return "Unprocessable Content";
    case 503:
        return "Service Unavailable";
    case 504:
        return "Gateway Timeout";
    default:
        return "Internal Server Error";
    }
}

bool change_refuse(struct change_result *result, int status, const char *format, ...)
{
    result->status = status;
    snprintf(result->title, sizeof(result->title), "%s", title_of(status));
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(result->detail, sizeof(result->detail), format, arguments);
    va_end(arguments);
    return false;
}

void change_note(struct change_result *result, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(result->note, sizeof(result->note), format, arguments);
    va_end(arguments);
}

static enum change_rule refused(bool allowed)
{
    return allowed ? CHANGE_RULE_CHANGES : CHANGE_RULE_REFUSED;
}

/* --- stage --------------------------------------------------------------------------------- */

static enum stage stage_of(const struct live_module *module)
{
    return (enum stage)live_module_value(module, LIVE_STAGE);
}

static bool may_retire(const struct live_module *module, struct change_result *result)
{
    const char *name = module->name;
    if (module->owner != WRITE_OWNER_EXTRACTED || live_module_needs_flip(module))
        return change_refuse(
            result, 409,
            "stage retired has no legacy side, but writes of %s go to %.*s; first: "
            "strangler writes %s extracted",
            name, STRVIEW_ARGS(write_owner_name(module->owner)), name);
    if (module->latch.on)
        return change_refuse(result, 409,
                             "%s is aborted, and stage retired has no legacy side; first: "
                             "strangler resume %s",
                             name, name);
    return true;
}

bool change_stage_is_possible(const struct live_module *module, enum stage stage,
                              struct change_result *result)
{
    bool copies = stage == STAGE_SHADOW || stage == STAGE_RAMP || stage == STAGE_LIVE;
    if (stage == STAGE_SHADOW && module->shadow == MODULE_SHADOW_NONE)
        return change_refuse(result, 409,
                             "%s has no group `shadow`, so nothing says how much is copied; "
                             "without it the stage after legacy is ramp",
                             module->name);
    if (copies && module->shadow == MODULE_SHADOW_WITHOUT_PERCENT)
        return change_refuse(result, 409,
                             "how many requests of %s are copied has to be said: `percent` is "
                             "missing in its group `shadow`",
                             module->name);
    return stage != STAGE_RETIRED || may_retire(module, result);
}

/* Without a group `shadow` there is no stage between legacy and ramp. */
static bool are_neighbours(const struct live_module *module, enum stage a, enum stage b)
{
    enum stage low = a < b ? a : b;
    enum stage high = a < b ? b : a;
    if (high - low == 1)
        return true;
    return module->shadow == MODULE_SHADOW_NONE && low == STAGE_LEGACY && high == STAGE_RAMP;
}

static void note_stage(const struct live_module *module, enum stage to,
                       struct change_result *result)
{
    if (module->latch.on)
        change_note(result, "stored: %s is aborted, its reads stay on legacy until it is resumed",
                    module->name);
    else if (to == STAGE_RAMP && live_module_value(module, LIVE_PERCENT) == 0)
        change_note(result, "percent is 0: nobody reads from the extracted side yet");
}

static enum change_rule judge_stage(const struct live_module *module, const struct change *change,
                                    struct change_result *result)
{
    enum stage from = stage_of(module);
    struct strview from_name = stage_name(from);
    struct strview to_name = stage_name(change->stage);
    if (from == change->stage) {
        change_note(result, "%s is in stage %.*s already", module->name, STRVIEW_ARGS(from_name));
        return CHANGE_RULE_NOTHING;
    }
    if (!change_stage_is_possible(module, change->stage, result))
        return CHANGE_RULE_REFUSED;
    if (!change->force && !are_neighbours(module, from, change->stage))
        return refused(change_refuse(result, 409,
                                     "%s is in stage %.*s, and %.*s is not next to it; --force "
                                     "jumps all the same",
                                     module->name, STRVIEW_ARGS(from_name), STRVIEW_ARGS(to_name)));
    note_stage(module, change->stage, result);
    return CHANGE_RULE_CHANGES;
}

/* --- percent ------------------------------------------------------------------------------- */

static enum change_rule judge_percent(const struct live_module *module, const struct change *change,
                                      struct change_result *result)
{
    enum stage stage = stage_of(module);
    char percent[LIVE_VALUE_BYTES];
    if (stage == STAGE_RETIRED)
        return refused(change_refuse(
            result, 409, "%s is retired: everybody is served by the extracted side", module->name));
    if (live_module_value(module, LIVE_PERCENT) == change->threshold) {
        change_note(result, "%s has percent %s already", module->name,
                    live_value_format(LIVE_PERCENT, change->threshold, percent));
        return CHANGE_RULE_NOTHING;
    }
    if (module->latch.on)
        change_note(result, "stored: %s is aborted, its reads stay on legacy until it is resumed",
                    module->name);
    else if (stage != STAGE_RAMP)
        change_note(result, "stored: percent acts in stage ramp, and %s is in %.*s", module->name,
                    STRVIEW_ARGS(stage_name(stage)));
    return CHANGE_RULE_CHANGES;
}

/* --- abort and resume ---------------------------------------------------------------------- */

static enum change_rule judge_abort(const struct live_module *module, struct change_result *result)
{
    if (module->acting_stage == STAGE_RETIRED)
        return refused(change_refuse(result, 409,
                                     "%s is retired: there is no legacy side to go back to; first: "
                                     "strangler stage %s live",
                                     module->name, module->name));
    if (module->latch.on) {
        change_note(result, "%s is aborted already", module->name);
        return CHANGE_RULE_NOTHING;
    }
    if (module->acting_stage < STAGE_RAMP)
        change_note(result,
                    "reads of %s were on legacy already; now no stage moves them until it is "
                    "resumed",
                    module->name);
    return CHANGE_RULE_CHANGES;
}

static enum change_rule judge_resume(const struct live_module *module, struct change_result *result)
{
    if (!module->latch.on) {
        change_note(result, "%s is not aborted", module->name);
        return CHANGE_RULE_NOTHING;
    }
    enum stage stage = stage_of(module);
    char percent[LIVE_VALUE_BYTES];
    if (stage == STAGE_RAMP)
        change_note(
            result, "%s is in stage ramp, percent %s", module->name,
            live_value_format(LIVE_PERCENT, live_module_value(module, LIVE_PERCENT), percent));
    else
        change_note(result, "%s is in stage %.*s", module->name, STRVIEW_ARGS(stage_name(stage)));
    return CHANGE_RULE_CHANGES;
}

/* --- writes -------------------------------------------------------------------------------- */

static enum change_rule judge_writes(const struct live_module *module, const struct change *change,
                                     struct change_result *result)
{
    struct strview owner = write_owner_name(change->owner);
    if (module->owner == change->owner && !live_module_needs_flip(module)) {
        change_note(result, "writes of %s go to %.*s already", module->name, STRVIEW_ARGS(owner));
        return CHANGE_RULE_NOTHING;
    }
    if (stage_of(module) == STAGE_RETIRED && change->owner != WRITE_OWNER_EXTRACTED)
        return refused(change_refuse(result, 409,
                                     "%s is retired: there is no legacy side to write to; first: "
                                     "strangler stage %s live",
                                     module->name, module->name));
    if (module->acting_stage < STAGE_RAMP && change->owner == WRITE_OWNER_EXTRACTED)
        change_note(result,
                    "all reads of %s are on legacy: what is written now is read there only when "
                    "it has been replicated",
                    module->name);
    return CHANGE_RULE_CHANGES;
}

static enum change_rule judge_freeze(const struct live_module *module, struct change_result *result)
{
    if (module->acting_stage == STAGE_RETIRED)
        return refused(change_refuse(result, 409,
                                     "%s is retired: its writes have only one way to go and are "
                                     "not held",
                                     module->name));
    if (module->freeze.until_unix_ms != 0)
        change_note(result, "%s was frozen already; the freeze is prolonged", module->name);
    return CHANGE_RULE_CHANGES;
}

static enum change_rule judge_unfreeze(const struct live_module *module,
                                       struct change_result *result)
{
    if (module->freeze.until_unix_ms != 0)
        return CHANGE_RULE_CHANGES;
    change_note(result, "%s is not frozen", module->name);
    return CHANGE_RULE_NOTHING;
}

static enum change_rule judge_confirm(const struct live_module *module,
                                      struct change_result *result)
{
    if (module->pending.entry != 0)
        return CHANGE_RULE_CHANGES;
    return refused(change_refuse(result, 409,
                                 "nothing of %s waits to be confirmed; strangler "
                                 "history shows whether it went back",
                                 module->name));
}

/* --- all verbs ----------------------------------------------------------------------------- */

static enum change_rule judge_verb(const struct live_module *module, const struct change *change,
                                   struct change_result *result)
{
    switch (change->verb) {
    case CHANGE_STAGE:
        return judge_stage(module, change, result);
    case CHANGE_PERCENT:
        return judge_percent(module, change, result);
    case CHANGE_ABORT:
        return judge_abort(module, result);
    case CHANGE_RESUME:
        return judge_resume(module, result);
    case CHANGE_WRITES:
        return judge_writes(module, change, result);
    case CHANGE_FREEZE:
        return judge_freeze(module, result);
    case CHANGE_UNFREEZE:
        return judge_unfreeze(module, result);
    case CHANGE_CONFIRM:
        return judge_confirm(module, result);
    case CHANGE_UNDO:
    case CHANGE_RELOAD:
    case CHANGE_SAVE:
    case CHANGE_REVERT:
    case CHANGE_THAW:
    case CHANGE_VERB_COUNT:
        break;
    }
    return CHANGE_RULE_CHANGES;
}

/* The verbs that would put something on top of a change that may yet go back. */
static bool waits_for_confirmation(enum change_verb verb)
{
    return verb == CHANGE_STAGE || verb == CHANGE_PERCENT || verb == CHANGE_WRITES ||
           verb == CHANGE_RESUME;
}

enum change_rule change_judge(const struct live_module *module, const struct change *change,
                              struct change_result *result)
{
    const struct live_pending *pending = &module->pending;
    if (module->flipping && change->verb != CHANGE_ABORT)
        return refused(change_refuse(result, 409,
                                     "busy: the write owner of %s is being changed; only abort "
                                     "does not wait for that",
                                     module->name));
    enum change_rule rule = judge_verb(module, change, result);
    if (rule != CHANGE_RULE_CHANGES || pending->entry == 0 || change->force ||
        !waits_for_confirmation(change->verb))
        return rule;
    char value[LIVE_VALUE_BYTES];
    return refused(change_refuse(result, 409,
                                 "%s has a change that waits to be confirmed (%.*s %s, entry "
                                 "%llu): confirm or undo it first, or --force",
                                 module->name, STRVIEW_ARGS(live_key_name(pending->key)),
                                 live_value_format(pending->key, pending->value, value),
                                 (unsigned long long)pending->entry));
}

/* --- whatever the module ------------------------------------------------------------------- */

static bool is_within(struct change_result *result, const char *what, uint64_t value,
                      uint64_t maximum)
{
    if (value <= maximum)
        return true;
    return change_refuse(result, 422, "%s is at most %llu ms", what, (unsigned long long)maximum);
}

static bool confirmation_is_sensible(const struct change *change, struct change_result *result)
{
    uint64_t within_ms = change->confirm_within_ms;
    if (within_ms == 0)
        return true;
    if (!waits_for_confirmation(change->verb))
        return change_refuse(result, 422, "%.*s is not a change that can wait to be confirmed",
                             STRVIEW_ARGS(change_verb_name(change->verb)));
    if (change->module.length == 0)
        return change_refuse(result, 422, "confirm_within needs one module");
    if (within_ms < CHANGE_CONFIRM_MIN_MS)
        return change_refuse(result, 422, "confirm_within is at least %d ms",
                             CHANGE_CONFIRM_MIN_MS);
    return is_within(result, "confirm_within", within_ms, CHANGE_CONFIRM_MAX_MS);
}

bool change_is_sensible(const struct change *change, struct change_result *result)
{
    if (change->who.length >= LIVE_WHO_BYTES)
        return change_refuse(result, 422, "who is at most %d bytes", LIVE_WHO_BYTES - 1);
    if (change->why.length >= LIVE_WHY_BYTES)
        return change_refuse(result, 422, "why is at most %d bytes", LIVE_WHY_BYTES - 1);
    if (change->verb == CHANGE_PERCENT && change->threshold > BUCKET_COUNT)
        return change_refuse(result, 422, "percent is 0 to 100");
    if (change->verb == CHANGE_WRITES && change->owner >= WRITE_OWNER_FOLLOW)
        return change_refuse(result, 422,
                             "writes go to legacy or to extracted; `follow` is said in "
                             "the files");
    return is_within(result, "timeout", change->timeout_ms, CHANGE_TIMEOUT_MAX_MS) &&
           is_within(result, "max_wait", change->max_wait_ms, CHANGE_TIMEOUT_MAX_MS) &&
           is_within(result, "ttl", change->ttl_ms, CHANGE_TTL_MAX_MS) &&
           confirmation_is_sensible(change, result);
}
