/* Who changed what, when and why. */
#include "proxy/control/journal_internal.h"

/* Older entries are dropped: a script that changes something every minute takes months. */
enum { ENTRIES_MAX = 100000 };

/* --- writing ------------------------------------------------------------------------------- */

static bool add_item(struct journal *journal, uint64_t id, const struct live_item *item,
                     struct fault *fault)
{
    char from[LIVE_VALUE_BYTES];
    char to[LIVE_VALUE_BYTES];
    live_value_format(item->key, item->from, from);
    live_value_format(item->key, item->to, to);
    return sql_run(journal,
                   "INSERT INTO entry_item(entry, module, key, value_from, value_to)"
                   " VALUES(?, ?, ?, ?, ?)",
                   SQL_VALUES(SQL_NUMBER(id), SQL_TEXT(strview_of(item->module)),
                              SQL_TEXT(live_key_name(item->key)), SQL_TEXT(strview_of(from)),
                              SQL_TEXT(strview_of(to))),
                   fault);
}

/* Taking back an undo makes what it had taken back hold again. */
static bool mark_undone(struct journal *journal, uint64_t undone, uint64_t by, struct fault *fault)
{
    return sql_run(journal,
                   "UPDATE entry SET undone_by = 0 WHERE id ="
                   " (SELECT undo_of FROM entry WHERE id = ? AND undo_of > 0)",
                   SQL_VALUES(SQL_NUMBER(undone)), fault) &&
           sql_run(journal, "UPDATE entry SET undone_by = ? WHERE id = ?",
                   SQL_VALUES(SQL_NUMBER(by), SQL_NUMBER(undone)), fault);
}

static bool drop_old(struct journal *journal, uint64_t newest, struct fault *fault)
{
    if (newest <= ENTRIES_MAX)
        return true;
    uint64_t last = newest - ENTRIES_MAX;
    return sql_run(journal, "DELETE FROM entry_item WHERE entry <= ?", SQL_VALUES(SQL_NUMBER(last)),
                   fault) &&
           sql_run(journal, "DELETE FROM entry WHERE id <= ?", SQL_VALUES(SQL_NUMBER(last)), fault);
}

bool journal_add_entry(struct journal *journal, const struct journal_entry *entry, uint64_t *ret_id,
                       struct fault *fault)
{
    if (!sql_run(journal,
                 "INSERT INTO entry(unix_ms, verb, module, who, why, generation, undo_of)"
                 " VALUES(?, ?, ?, ?, ?, ?, ?)",
                 SQL_VALUES(SQL_NUMBER(entry->unix_ms), SQL_TEXT(change_verb_name(entry->verb)),
                            SQL_TEXT(strview_of(entry->module)), SQL_TEXT(strview_of(entry->who)),
                            SQL_TEXT(strview_of(entry->why)), SQL_NUMBER(entry->generation),
                            SQL_NUMBER(entry->undo_of)),
                 fault))
        return false;
    uint64_t id = (uint64_t)sqlite3_last_insert_rowid(journal->database);
    for (size_t i = 0; i < entry->item_count; i++) {
        if (!add_item(journal, id, &entry->items[i], fault))
            return false;
    }
    if (entry->undo_of != 0 && !mark_undone(journal, entry->undo_of, id, fault))
        return false;
    if (!drop_old(journal, id, fault))
        return false;
    *ret_id = id;
    return true;
}

/* --- reading ------------------------------------------------------------------------------- */

static bool not_understood(struct fault *fault, uint64_t id)
{
    return fault_set(fault, "the journal's entry %llu is not understood", (unsigned long long)id);
}

static bool read_item(sqlite3_stmt *statement, struct live_item *ret_item)
{
    struct strview module = sql_column_text(statement, 0);
    if (module.length >= LIVE_NAME_BYTES)
        return false;
    *ret_item = (struct live_item){.key = LIVE_STAGE};
    memcpy(ret_item->module, module.data, module.length);
    return live_key_parse(sql_column_text(statement, 1), &ret_item->key) &&
           live_value_parse(ret_item->key, sql_column_text(statement, 2), &ret_item->from) &&
           live_value_parse(ret_item->key, sql_column_text(statement, 3), &ret_item->to);
}

static bool read_items(struct journal *journal, uint64_t id, struct live_items *items,
                       struct fault *fault)
{
    sqlite3_stmt *statement =
        sql_prepare(journal,
                    "SELECT module, key, value_from, value_to FROM entry_item WHERE entry = ?"
                    " ORDER BY rowid",
                    SQL_VALUES(SQL_NUMBER(id)), fault);
    if (statement == NULL)
        return false;
    bool good = true;
    int step = sqlite3_step(statement);
    for (; good && step == SQLITE_ROW; step = sqlite3_step(statement)) {
        struct live_item item;
        good = read_item(statement, &item);
        if (good)
            live_items_push(items, &item);
    }
    if (!good)
        not_understood(fault, id);
    else if (step != SQLITE_DONE)
        good = sql_fault(journal, fault);
    sqlite3_finalize(statement);
    return good;
}

struct history_reader {
    struct journal *journal;
    bool (*on_entry)(void *context, const struct journal_entry *entry);
    void *context;
    bool failed;
};

/* One row, handed on. False when the reader has had enough, or failed. */
static bool give_entry(struct history_reader *reader, sqlite3_stmt *statement, struct fault *fault)
{
    struct live_items items = {.items = NULL};
    struct journal_entry entry = {
        .id = sql_column_number(statement, 0),
        .unix_ms = sql_column_number(statement, 1),
        .module = sql_column_text(statement, 3).data,
        .who = sql_column_text(statement, 4).data,
        .why = sql_column_text(statement, 5).data,
        .generation = sql_column_number(statement, 6),
        .undo_of = sql_column_number(statement, 7),
        .undone_by = sql_column_number(statement, 8),
    };
    reader->failed = (!change_verb_parse(sql_column_text(statement, 2), &entry.verb) &&
                      !not_understood(fault, entry.id)) ||
                     !read_items(reader->journal, entry.id, &items, fault);
    entry.items = items.items;
    entry.item_count = items.count;
    bool goes_on = !reader->failed && reader->on_entry(reader->context, &entry);
    live_items_done(&items);
    return goes_on;
}

bool journal_history(struct journal *journal, const struct journal_query *query,
                     bool (*on_entry)(void *context, const struct journal_entry *entry),
                     void *context, struct fault *fault)
{
    struct history_reader reader = {journal, on_entry, context, false};
    uint64_t first = query->first != 0 ? query->first : INT64_MAX;
    uint64_t limit = query->limit != 0 ? query->limit : INT64_MAX;
    sqlite3_stmt *statement = sql_prepare(
        journal,
        "SELECT id, unix_ms, verb, module, who, why, generation, undo_of, undone_by FROM entry"
        " WHERE id <= ?1 AND (?2 = '' OR module = ?2 OR EXISTS"
        " (SELECT 1 FROM entry_item WHERE entry_item.entry = entry.id"
        "  AND entry_item.module = ?2)) ORDER BY id DESC LIMIT ?3",
        SQL_VALUES(SQL_NUMBER(first), SQL_TEXT(query->module), SQL_NUMBER(limit)), fault);
    if (statement == NULL)
        return false;
    int step = sqlite3_step(statement);
    while (step == SQLITE_ROW && give_entry(&reader, statement, fault))
        step = sqlite3_step(statement);
    if (step != SQLITE_ROW && step != SQLITE_DONE)
        reader.failed = !sql_fault(journal, fault);
    sqlite3_finalize(statement);
    return !reader.failed;
}

static bool read_number(struct journal *journal, sqlite3_stmt *statement, uint64_t *ret_number,
                        struct fault *fault)
{
    if (statement == NULL)
        return false;
    bool good = sqlite3_step(statement) == SQLITE_ROW;
    if (good)
        *ret_number = sql_column_number(statement, 0);
    sqlite3_finalize(statement);
    return good || sql_fault(journal, fault);
}

/* Neither what was undone since counts, nor what undid something that came after `id`. */
bool journal_find_later(struct journal *journal, uint64_t id, const struct live_item *item,
                        uint64_t *ret_later, struct fault *fault)
{
    sqlite3_stmt *statement =
        sql_prepare(journal,
                    "SELECT coalesce(min(entry.id), 0) FROM entry_item JOIN entry"
                    " ON entry.id = entry_item.entry"
                    " WHERE entry_item.module = ?1 AND key = ?2 AND entry_item.entry > ?3"
                    " AND value_from <> value_to AND undone_by = 0 AND undo_of <= ?3",
                    SQL_VALUES(SQL_TEXT(strview_of(item->module)),
                               SQL_TEXT(live_key_name(item->key)), SQL_NUMBER(id)),
                    fault);
    return read_number(journal, statement, ret_later, fault);
}

bool journal_last_generation(struct journal *journal, uint64_t *ret_generation, struct fault *fault)
{
    sqlite3_stmt *statement =
        sql_prepare(journal,
                    "SELECT max((SELECT coalesce(max(generation), 0) FROM entry),"
                    " (SELECT coalesce(max(generation), 0) FROM flip))",
                    NULL, 0, fault);
    return read_number(journal, statement, ret_generation, fault);
}
