#include "extracted/service_kit/ownership.h"

#include <string.h>

static const char ours[] = "extracted";
static const char theirs[] = "legacy";

static bool add_if_missing(struct database *database, const char *aggregate)
{
    sqlite3_stmt *query = database_begin_kit(database, KIT_OWNER_ADD);
    sqlite3_bind_text(query, 1, aggregate, -1, SQLITE_STATIC);
    sqlite3_step(query);
    return database_end(database, query);
}

static bool read_row(struct database *database, const char *aggregate, struct ownership *ownership)
{
    sqlite3_stmt *query = database_begin_kit(database, KIT_OWNER_READ);
    sqlite3_bind_text(query, 1, aggregate, -1, SQLITE_STATIC);
    bool found = database_next(query);
    if (found) {
        size_t length;
        ownership->is_ours = strcmp(database_text(query, 0, &length), ours) == 0;
        ownership->epoch = sqlite3_column_int64(query, 1);
    }
    return database_end(database, query) && found;
}

bool ownership_read(struct database *database, const char *aggregate, struct ownership *ret_own)
{
    return read_row(database, aggregate, ret_own) ||
           (add_if_missing(database, aggregate) && read_row(database, aggregate, ret_own));
}

bool ownership_write(struct database *database, const char *aggregate,
                     const struct ownership *ownership)
{
    sqlite3_stmt *query = database_begin_kit(database, KIT_OWNER_WRITE);
    sqlite3_bind_text(query, 1, aggregate, -1, SQLITE_STATIC);
    sqlite3_bind_text(query, 2, ownership_name(ownership), -1, SQLITE_STATIC);
    sqlite3_bind_int64(query, 3, ownership->epoch);
    sqlite3_step(query);
    return database_end(database, query);
}

enum ownership_change ownership_compare(const struct ownership *current,
                                        const struct ownership *wanted)
{
    if (wanted->epoch > current->epoch)
        return OWNERSHIP_CHANGED;
    bool is_same = wanted->epoch == current->epoch && wanted->is_ours == current->is_ours;
    return is_same ? OWNERSHIP_SAME : OWNERSHIP_LATE;
}

const char *ownership_name(const struct ownership *ownership)
{
    return ownership->is_ours ? ours : theirs;
}

bool ownership_parse(const char *owner, bool *ret_is_ours)
{
    bool is_ours = strcmp(owner, ours) == 0;
    if (!is_ours && strcmp(owner, theirs) != 0)
        return false;
    *ret_is_ours = is_ours;
    return true;
}

void ownership_add_sentence(struct body_text *out, const char *aggregate,
                            const struct ownership *ownership)
{
    body_text_add_string(out, "Writes to ");
    body_text_add_string(out, aggregate);
    body_text_add_string(out, " belong to the ");
    body_text_add_string(out, ownership_name(ownership));
    body_text_add_string(out, " side since epoch ");
    body_text_add_json_integer(out, ownership->epoch);
    body_text_add_string(out, ".");
}

void ownership_add_members(struct body_text *out, const char *aggregate,
                           const struct ownership *ownership)
{
    const char *owner = ownership_name(ownership);
    body_text_add_string(out, "\"aggregate\":");
    body_text_add_json_string(out, aggregate, strlen(aggregate));
    body_text_add_string(out, ",\"owner\":");
    body_text_add_json_string(out, owner, strlen(owner));
    body_text_add_string(out, ",\"epoch\":");
    body_text_add_json_integer(out, ownership->epoch);
}
