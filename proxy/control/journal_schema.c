/* The journal's tables, version after version. */
#include "proxy/control/journal_internal.h"

#include "proxy/core/log.h"

/*
 * One step a version (PRAGMA user_version). A step that was released is never changed: another one
 * comes after it.
 */
static const char *const steps[] = {
    "CREATE TABLE IF NOT EXISTS flip("
    " id INTEGER PRIMARY KEY AUTOINCREMENT, unix_ms INTEGER NOT NULL, module TEXT NOT NULL,"
    " owner_from TEXT NOT NULL, owner_to TEXT NOT NULL, epoch INTEGER NOT NULL,"
    " generation INTEGER NOT NULL, drain_ms INTEGER NOT NULL, program_ms INTEGER NOT NULL,"
    " total_ms INTEGER NOT NULL, successful INTEGER NOT NULL, why TEXT NOT NULL);"
    "CREATE INDEX IF NOT EXISTS flip_by_module ON flip(module, id);",

    "CREATE TABLE entry("
    " id INTEGER PRIMARY KEY AUTOINCREMENT, unix_ms INTEGER NOT NULL, verb TEXT NOT NULL,"
    " module TEXT NOT NULL, who TEXT NOT NULL, why TEXT NOT NULL, generation INTEGER NOT NULL,"
    " undo_of INTEGER NOT NULL, undone_by INTEGER NOT NULL DEFAULT 0);"
    "CREATE TABLE entry_item("
    " entry INTEGER NOT NULL REFERENCES entry(id), module TEXT NOT NULL, key TEXT NOT NULL,"
    " value_from TEXT NOT NULL, value_to TEXT NOT NULL);"
    "CREATE INDEX entry_item_by_entry ON entry_item(entry);"
    "CREATE INDEX entry_item_by_key ON entry_item(module, key, entry);"
    "CREATE TABLE override("
    " module TEXT NOT NULL, key TEXT NOT NULL, value_file TEXT NOT NULL,"
    " value_running TEXT NOT NULL, who TEXT NOT NULL, why TEXT NOT NULL,"
    " unix_ms INTEGER NOT NULL, PRIMARY KEY(module, key));"
    "CREATE TABLE latch("
    " module TEXT PRIMARY KEY, who TEXT NOT NULL, why TEXT NOT NULL, unix_ms INTEGER NOT NULL);"
    "CREATE TABLE freeze("
    " module TEXT PRIMARY KEY, until_unix_ms INTEGER NOT NULL, who TEXT NOT NULL,"
    " why TEXT NOT NULL, unix_ms INTEGER NOT NULL);"
    "CREATE TABLE pending("
    " module TEXT PRIMARY KEY, entry INTEGER NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL,"
    " back_to TEXT NOT NULL, revert_at_unix_ms INTEGER NOT NULL);",
};

enum { SCHEMA_VERSION = sizeof(steps) / sizeof(steps[0]) };

static bool read_version(struct journal *journal, uint64_t *ret_version, struct fault *fault)
{
    sqlite3_stmt *statement = sql_prepare(journal, "PRAGMA user_version", NULL, 0, fault);
    if (statement == NULL)
        return false;
    bool good = sqlite3_step(statement) == SQLITE_ROW;
    if (good)
        *ret_version = sql_column_number(statement, 0);
    sqlite3_finalize(statement);
    return good || sql_fault(journal, fault);
}

static bool run_steps(struct journal *journal, uint64_t version, struct fault *fault)
{
    for (; version < SCHEMA_VERSION; version++) {
        if (sqlite3_exec(journal->database, steps[version], NULL, NULL, NULL) != SQLITE_OK)
            return sql_fault(journal, fault);
    }
    char sql[64];
    sqlite3_snprintf(sizeof(sql), sql, "PRAGMA user_version = %d", (int)SCHEMA_VERSION);
    return sql_run(journal, sql, NULL, 0, fault);
}

bool journal_update_schema(struct journal *journal, struct fault *fault)
{
    uint64_t version = 0;
    if (!read_version(journal, &version, fault))
        return false;
    if (version > SCHEMA_VERSION)
        return fault_set(fault,
                         "the journal was written by a newer version of this program (schema "
                         "%llu, known are those up to %d)",
                         (unsigned long long)version, (int)SCHEMA_VERSION);
    if (version == SCHEMA_VERSION)
        return true;
    if (version > 0)
        log_info("the journal is brought from schema %llu to %d", (unsigned long long)version,
                 (int)SCHEMA_VERSION);
    if (!journal_begin(journal, fault))
        return false;
    if (run_steps(journal, version, fault))
        return journal_commit(journal, fault);
    journal_rollback(journal);
    return false;
}
