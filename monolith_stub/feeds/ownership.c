#include "monolith_stub/feeds/ownership.h"

#include <string.h>

#include "monolith_stub/json_write.h"
#include "monolith_stub/store.h"

static const char ours[] = "legacy";
static const char theirs[] = "extracted";

bool ownership_read(struct store *store, enum aggregate aggregate, struct ownership *ret_ownership)
{
    const char *name = aggregate_name(aggregate);
    sqlite3_stmt *query = store_begin(store, QUERY_OWNER);
    store_bind_text(query, 1, name, strlen(name));
    bool found = store_next(query);
    if (found) {
        size_t length = 0;
        const char *owner = store_text(query, 0, &length);
        ret_ownership->aggregate = aggregate;
        ret_ownership->is_ours = strcmp(owner, ours) == 0;
        ret_ownership->epoch = sqlite3_column_int64(query, 1);
    }
    return store_end(query) && found;
}

bool ownership_write(struct store *store, const struct ownership *ownership)
{
    const char *name = aggregate_name(ownership->aggregate);
    const char *owner = ownership_owner(ownership);
    sqlite3_stmt *query = store_begin(store, QUERY_OWNER_SET);
    store_bind_text(query, 1, name, strlen(name));
    store_bind_text(query, 2, owner, strlen(owner));
    sqlite3_bind_int64(query, 3, ownership->epoch);
    return store_run(query);
}

const char *ownership_owner(const struct ownership *ownership)
{
    return ownership->is_ours ? ours : theirs;
}

void ownership_write_members(struct text *out, const struct ownership *ownership)
{
    json_write_string(out, "\"aggregate\":", aggregate_name(ownership->aggregate));
    json_write_string(out, ",\"owner\":", ownership_owner(ownership));
    json_write_integer(out, ",\"epoch\":", ownership->epoch);
}

void ownership_describe(struct text *out, const struct ownership *ownership)
{
    text_append_string(out, "Writes to ");
    text_append_string(out, aggregate_name(ownership->aggregate));
    text_append_string(out, " belong to the ");
    text_append_string(out, ownership_owner(ownership));
    text_append_string(out, " side since epoch ");
    text_append_integer(out, ownership->epoch);
    text_append_string(out, ".");
}

enum ownership_change ownership_compare(const struct ownership *current,
                                        const struct ownership *wanted)
{
    if (wanted->epoch > current->epoch)
        return OWNERSHIP_CHANGED;
    if (wanted->epoch == current->epoch && wanted->is_ours == current->is_ours)
        return OWNERSHIP_SAME;
    return OWNERSHIP_REFUSED;
}
