#include "proxy/control/admin_history.h"

#include <microhttpd.h>

#include "proxy/config/settings.h"
#include "proxy/control/admin_module.h"
#include "proxy/control/admin_pages.h"
#include "proxy/control/control_internal.h"

enum { LIMIT_DEFAULT = 50, LIMIT_MAX = 10000 };

static json_t *json_changes(const struct journal_entry *entry)
{
    json_t *list = json_array();
    for (size_t i = 0; i < entry->item_count; i++) {
        const struct live_item *item = &entry->items[i];
        json_array_append_new(list, json_pack("{s:o, s:o, s:o, s:o}", "module",
                                              json_text(strview_of(item->module)), "key",
                                              json_text(live_key_name(item->key)), "from",
                                              json_live_value(item->key, item->from), "to",
                                              json_live_value(item->key, item->to)));
    }
    return list;
}

static json_t *json_number_or_null(uint64_t number)
{
    return number > 0 ? json_integer((json_int_t)number) : json_null();
}

static bool on_entry(void *context, const struct journal_entry *entry)
{
    json_t *list = context;
    json_t *row = json_pack(
        "{s:I, s:o, s:o, s:o, s:o, s:o, s:I, s:o, s:o, s:o}", "entry", (json_int_t)entry->id, "at",
        json_time(entry->unix_ms), "verb", json_text(change_verb_name(entry->verb)), "module",
        json_text(strview_of(entry->module)), "who", json_text(strview_of(entry->who)), "why",
        json_text(strview_of(entry->why)), "generation", (json_int_t)entry->generation, "undo_of",
        json_number_or_null(entry->undo_of), "undone_by", json_number_or_null(entry->undone_by),
        "changes", json_changes(entry));
    json_array_append_new(list, row);
    return true;
}

/* Nobody has changed anything yet: there is no journal, and none is made for being asked. */
static bool has_journal(struct control *control)
{
    return control->journal != NULL || journal_exists(control->state_dir);
}

static json_t *read_history(struct control *control, const struct journal_query *query,
                            struct fault *fault)
{
    json_t *list = json_array();
    if (has_journal(control) &&
        (!control_open_journal(control, fault) ||
         !journal_history(control->journal, query, on_entry, list, fault))) {
        json_decref(list);
        return NULL;
    }
    return list;
}

json_t *json_entry_changes(struct control *control, uint64_t entry)
{
    struct fault fault;
    const struct journal_query query = {.first = entry, .limit = 1};
    json_t *list = entry > 0 ? read_history(control, &query, &fault) : NULL;
    json_t *changes = json_object_get(json_array_get(list, 0), "changes");
    changes = changes != NULL ? json_incref(changes) : json_array();
    json_decref(list);
    return changes;
}

void admin_history(const struct admin_call *call)
{
    uint64_t limit = LIMIT_DEFAULT;
    const char *text = admin_request_parameter(call->request, "limit");
    struct fault fault;
    struct journal_query query = {.module =
                                      strview_of(admin_request_parameter(call->request, "module"))};
    if (text != NULL && (!strview_to_u64(strview_of(text), LIMIT_MAX, &limit) || limit == 0)) {
        admin_reply_problem(call->request, MHD_HTTP_UNPROCESSABLE_CONTENT,
                            "`limit` is a number from 1 to %d", LIMIT_MAX);
        return;
    }
    if (query.module.length > 0 && live_state_find(call->control->live, query.module) == NULL) {
        admin_reply_suggestion(call->request, MHD_HTTP_NOT_FOUND,
                               suggest_module(call->control, query.module),
                               "no module is called `%.*s`", STRVIEW_ARGS(query.module));
        return;
    }
    query.limit = (uint32_t)limit;
    json_t *entries = read_history(call->control, &query, &fault);
    if (entries != NULL)
        admin_reply_json_take(call->request, MHD_HTTP_OK, json_pack("{s:o}", "entries", entries));
    else
        admin_reply_problem(call->request, MHD_HTTP_SERVICE_UNAVAILABLE, "%s", fault.text);
}
