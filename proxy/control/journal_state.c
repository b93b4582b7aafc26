/* How each module differs from the files. */
#include "proxy/control/journal_internal.h"

/* --- writing ------------------------------------------------------------------------------- */

static bool put_override(struct journal *journal, const struct live_module *module,
                         enum live_key key, struct fault *fault)
{
    const struct live_override *override = &module->overrides[key];
    if (!override->on)
        return true;
    char file[LIVE_VALUE_BYTES];
    char running[LIVE_VALUE_BYTES];
    live_value_format(key, override->file, file);
    live_value_format(key, override->running, running);
    return sql_run(journal, "INSERT INTO override VALUES(?, ?, ?, ?, ?, ?, ?)",
                   SQL_VALUES(SQL_TEXT(strview_of(module->name)), SQL_TEXT(live_key_name(key)),
                              SQL_TEXT(strview_of(file)), SQL_TEXT(strview_of(running)),
                              SQL_TEXT(strview_of(override->note.who)),
                              SQL_TEXT(strview_of(override->note.why)),
                              SQL_NUMBER(override->note.unix_ms)),
                   fault);
}

static bool put_overrides(struct journal *journal, const struct live_module *module,
                          struct fault *fault)
{
    for (int key = 0; key < LIVE_DECLARED_COUNT; key++) {
        if (!put_override(journal, module, (enum live_key)key, fault))
            return false;
    }
    return true;
}

static bool put_latch(struct journal *journal, const struct live_module *module,
                      struct fault *fault)
{
    const struct live_latch *latch = &module->latch;
    return !latch->on ||
           sql_run(
               journal, "INSERT INTO latch VALUES(?, ?, ?, ?)",
               SQL_VALUES(SQL_TEXT(strview_of(module->name)), SQL_TEXT(strview_of(latch->note.who)),
                          SQL_TEXT(strview_of(latch->note.why)), SQL_NUMBER(latch->note.unix_ms)),
               fault);
}

static bool put_freeze(struct journal *journal, const struct live_module *module,
                       struct fault *fault)
{
    const struct live_freeze *freeze = &module->freeze;
    return freeze->until_unix_ms == 0 ||
           sql_run(journal, "INSERT INTO freeze VALUES(?, ?, ?, ?, ?)",
                   SQL_VALUES(SQL_TEXT(strview_of(module->name)), SQL_NUMBER(freeze->until_unix_ms),
                              SQL_TEXT(strview_of(freeze->note.who)),
                              SQL_TEXT(strview_of(freeze->note.why)),
                              SQL_NUMBER(freeze->note.unix_ms)),
                   fault);
}

static bool put_pending(struct journal *journal, const struct live_module *module,
                        struct fault *fault)
{
    const struct live_pending *pending = &module->pending;
    if (pending->entry == 0)
        return true;
    char value[LIVE_VALUE_BYTES];
    char back_to[LIVE_VALUE_BYTES];
    live_value_format(pending->key, pending->value, value);
    live_value_format(pending->key, pending->back_to, back_to);
    return sql_run(journal, "INSERT INTO pending VALUES(?, ?, ?, ?, ?, ?)",
                   SQL_VALUES(SQL_TEXT(strview_of(module->name)), SQL_NUMBER(pending->entry),
                              SQL_TEXT(live_key_name(pending->key)), SQL_TEXT(strview_of(value)),
                              SQL_TEXT(strview_of(back_to)),
                              SQL_NUMBER(pending->revert_at_unix_ms)),
                   fault);
}

bool journal_put_module(struct journal *journal, const struct live_module *module,
                        struct fault *fault)
{
    static const char *const deletes[] = {
        "DELETE FROM override WHERE module = ?", "DELETE FROM latch WHERE module = ?",
        "DELETE FROM freeze WHERE module = ?", "DELETE FROM pending WHERE module = ?"};
    for (size_t i = 0; i < sizeof(deletes) / sizeof(deletes[0]); i++) {
        if (!sql_run(journal, deletes[i], SQL_VALUES(SQL_TEXT(strview_of(module->name))), fault))
            return false;
    }
    return put_overrides(journal, module, fault) && put_latch(journal, module, fault) &&
           put_freeze(journal, module, fault) && put_pending(journal, module, fault);
}

/* --- reading ------------------------------------------------------------------------------- */

static void read_text(sqlite3_stmt *statement, int column, char *text, size_t size)
{
    struct strview view = sql_column_text(statement, column);
    size_t length = view.length < size ? view.length : size - 1;
    memcpy(text, view.data, length);
    text[length] = '\0';
}

/* Who, why, when: the last three columns of a row. */
static void read_note(sqlite3_stmt *statement, int column, struct live_note *note)
{
    read_text(statement, column, note->who, sizeof(note->who));
    read_text(statement, column + 1, note->why, sizeof(note->why));
    note->unix_ms = sql_column_number(statement, column + 2);
}

static bool read_override(sqlite3_stmt *statement, struct live_module *module)
{
    struct live_override override = {.on = true};
    enum live_key key;
    if (!live_key_parse(sql_column_text(statement, 1), &key) || key >= LIVE_DECLARED_COUNT ||
        !live_value_parse(key, sql_column_text(statement, 2), &override.file) ||
        !live_value_parse(key, sql_column_text(statement, 3), &override.running))
        return false;
    read_note(statement, 4, &override.note);
    module->overrides[key] = override;
    return true;
}

static bool read_latch(sqlite3_stmt *statement, struct live_module *module)
{
    module->latch = (struct live_latch){.on = true, .durable = true};
    read_note(statement, 1, &module->latch.note);
    return true;
}

static bool read_freeze(sqlite3_stmt *statement, struct live_module *module)
{
    module->freeze.until_unix_ms = sql_column_number(statement, 1);
    read_note(statement, 2, &module->freeze.note);
    return true;
}

static bool read_pending(sqlite3_stmt *statement, struct live_module *module)
{
    struct live_pending pending = {.entry = sql_column_number(statement, 1),
                                   .revert_at_unix_ms = sql_column_number(statement, 5)};
    if (!live_key_parse(sql_column_text(statement, 2), &pending.key) ||
        !live_value_parse(pending.key, sql_column_text(statement, 3), &pending.value) ||
        !live_value_parse(pending.key, sql_column_text(statement, 4), &pending.back_to))
        return false;
    module->pending = pending;
    return true;
}

/*
 * The last flip tells who owns: whoever it was meant for if it succeeded, else who had owned. One
 * that did not has used up the next epoch, too: with that the program made the old owner own again.
 */
static bool read_owner(sqlite3_stmt *statement, struct live_module *module)
{
    uint64_t outcome = sql_column_number(statement, 3);
    struct strview owner = sql_column_text(statement, outcome == JOURNAL_SUCCEEDED ? 2 : 1);
    if (!write_owner_parse(owner, &module->owner))
        return false;
    module->owner_known = true;
    module->unsettled = outcome == JOURNAL_BEGUN;
    module->epoch = sql_column_number(statement, 4);
    return true;
}

static const struct {
    const char *what;
    const char *sql;
    bool (*read)(sqlite3_stmt *statement, struct live_module *module);
} tables[] = {
    {"override", "SELECT module, key, value_file, value_running, who, why, unix_ms FROM override",
     read_override},
    {"latch", "SELECT module, who, why, unix_ms FROM latch", read_latch},
    {"freeze", "SELECT module, until_unix_ms, who, why, unix_ms FROM freeze", read_freeze},
    {"pending", "SELECT module, entry, key, value, back_to, revert_at_unix_ms FROM pending",
     read_pending},
    {"flip",
     "SELECT module, owner_from, owner_to, successful, (SELECT max(epoch + (successful <> 1))"
     " FROM flip AS other WHERE other.module = flip.module) FROM flip WHERE id IN"
     " (SELECT max(id) FROM flip GROUP BY module)",
     read_owner},
};

static bool load_table(struct journal *journal, size_t index, struct live_state *state,
                       struct fault *fault)
{
    sqlite3_stmt *statement = sql_prepare(journal, tables[index].sql, NULL, 0, fault);
    if (statement == NULL)
        return false;
    bool good = true;
    int step = sqlite3_step(statement);
    for (; good && step == SQLITE_ROW; step = sqlite3_step(statement)) {
        struct strview name = sql_column_text(statement, 0);
        good = tables[index].read(statement, live_state_get(state, name)) ||
               fault_set(fault,
                         "the journal's table `%s` has a row about %.*s that is not "
                         "understood",
                         tables[index].what, STRVIEW_ARGS(name));
    }
    if (good && step != SQLITE_DONE)
        good = sql_fault(journal, fault);
    sqlite3_finalize(statement);
    return good;
}

bool journal_load(struct journal *journal, struct live_state *state, struct fault *fault)
{
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
        if (!load_table(journal, i, state, fault))
            return false;
    }
    return true;
}

/* --- changes of write owner ---------------------------------------------------------------- */

bool journal_begin_flip(struct journal *journal, struct journal_flip *flip, struct fault *fault)
{
    if (!journal_begin(journal, fault))
        return false;
    bool good = sql_run(journal,
                        "INSERT INTO flip(unix_ms, module, owner_from, owner_to, epoch, generation,"
                        " drain_ms, program_ms, total_ms, successful, why)"
                        " VALUES(?, ?, ?, ?, ?, ?, 0, 0, 0, ?, '')",
                        SQL_VALUES(SQL_NUMBER(flip->unix_ms), SQL_TEXT(strview_of(flip->module)),
                                   SQL_TEXT(write_owner_name(flip->from)),
                                   SQL_TEXT(write_owner_name(flip->to)), SQL_NUMBER(flip->epoch),
                                   SQL_NUMBER(flip->generation), SQL_NUMBER(JOURNAL_BEGUN)),
                        fault);
    if (good)
        flip->id = (uint64_t)sqlite3_last_insert_rowid(journal->database);
    if (good)
        return journal_commit(journal, fault);
    journal_rollback(journal);
    return false;
}

bool journal_end_flip(struct journal *journal, const struct journal_flip *flip, struct fault *fault)
{
    return sql_run(journal,
                   "UPDATE flip SET generation = ?, drain_ms = ?, program_ms = ?, total_ms = ?,"
                   " successful = ?, why = ? WHERE id = ?",
                   SQL_VALUES(SQL_NUMBER(flip->generation), SQL_NUMBER(flip->drain_ms),
                              SQL_NUMBER(flip->program_ms), SQL_NUMBER(flip->total_ms),
                              SQL_NUMBER(flip->outcome), SQL_TEXT(strview_of(flip->why)),
                              SQL_NUMBER(flip->id)),
                   fault);
}
