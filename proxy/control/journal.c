#include "proxy/control/journal.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proxy/core/array.h"
#include "proxy/core/log.h"

enum { PATH_BYTES = 4096, BUSY_MS = 2000 };

struct journal {
    sqlite3 *database;
};

/* One step a version (PRAGMA user_version), so that an older file is brought up to date. */
static const char schema[] =
    "BEGIN IMMEDIATE;"
    "CREATE TABLE IF NOT EXISTS flip("
    " id INTEGER PRIMARY KEY AUTOINCREMENT, unix_ms INTEGER NOT NULL, module TEXT NOT NULL,"
    " owner_from TEXT NOT NULL, owner_to TEXT NOT NULL, epoch INTEGER NOT NULL,"
    " generation INTEGER NOT NULL, drain_ms INTEGER NOT NULL, program_ms INTEGER NOT NULL,"
    " total_ms INTEGER NOT NULL, successful INTEGER NOT NULL, why TEXT NOT NULL);"
    "CREATE INDEX IF NOT EXISTS flip_by_module ON flip(module, id);"
    "PRAGMA user_version = 1;"
    "COMMIT;";

static bool format_path(const char *state_dir, char path[static PATH_BYTES])
{
    int length = snprintf(path, PATH_BYTES, "%s/strangler.db", state_dir);
    return length >= 0 && length < PATH_BYTES;
}

bool journal_exists(const char *state_dir)
{
    char path[PATH_BYTES];
    return format_path(state_dir, path) && access(path, F_OK) == 0;
}

static bool sql_fault(const struct journal *journal, struct fault *fault)
{
    return fault_set(fault, "the journal failed: %s", sqlite3_errmsg(journal->database));
}

static bool make_folder(const char *path, struct fault *fault)
{
    if (mkdir(path, 0750) == 0 || errno == EEXIST)
        return true;
    return fault_set(fault, "cannot make state_dir `%s`: %s", path, strerror(errno));
}

static bool prepare_file(struct journal *journal, struct fault *fault)
{
    sqlite3_busy_timeout(journal->database, BUSY_MS);
    if (sqlite3_exec(journal->database, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;",
                     NULL, NULL, NULL) != SQLITE_OK ||
        sqlite3_exec(journal->database, schema, NULL, NULL, NULL) != SQLITE_OK)
        return sql_fault(journal, fault);
    return true;
}

struct journal *journal_open(const char *state_dir, struct fault *fault)
{
    char path[PATH_BYTES];
    if (!format_path(state_dir, path)) {
        fault_set(fault, "the path of state_dir is too long");
        return NULL;
    }
    if (!make_folder(state_dir, fault))
        return NULL;
    struct journal *journal = memory_zalloc(sizeof(*journal));
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    if (sqlite3_open_v2(path, &journal->database, flags, NULL) != SQLITE_OK) {
        fault_set(fault, "cannot open the journal `%s`: %s", path,
                  sqlite3_errmsg(journal->database));
        journal_close(journal);
        return NULL;
    }
    if (!prepare_file(journal, fault)) {
        journal_close(journal);
        return NULL;
    }
    return journal;
}

void journal_close(struct journal *journal)
{
    if (journal == NULL)
        return;
    sqlite3_close(journal->database);
    free(journal);
}

static sqlite3_stmt *prepare(struct journal *journal, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(journal->database, sql, -1, &statement, NULL) != SQLITE_OK)
        return NULL;
    return statement;
}

bool journal_last_epoch(struct journal *journal, const char *module, uint64_t *ret_epoch,
                        struct fault *fault)
{
    /* After a failure the program has made the old owner own again, with the next epoch. */
    sqlite3_stmt *statement = prepare(
        journal, "SELECT coalesce(max(epoch + 1 - successful), 1) FROM flip WHERE module = ?");
    if (statement == NULL)
        return sql_fault(journal, fault);
    sqlite3_bind_text(statement, 1, module, -1, SQLITE_STATIC);
    bool good = sqlite3_step(statement) == SQLITE_ROW;
    if (good)
        *ret_epoch = (uint64_t)sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return good || sql_fault(journal, fault);
}

bool journal_last_owner(struct journal *journal, const char *module, enum write_owner *ret_owner)
{
    sqlite3_stmt *statement =
        prepare(journal, "SELECT owner_to FROM flip WHERE module = ? AND successful = 1"
                         " ORDER BY id DESC LIMIT 1");
    if (statement == NULL) {
        log_error("the journal failed: %s", sqlite3_errmsg(journal->database));
        return false;
    }
    sqlite3_bind_text(statement, 1, module, -1, SQLITE_STATIC);
    bool found =
        sqlite3_step(statement) == SQLITE_ROW &&
        write_owner_parse(strview_of((const char *)sqlite3_column_text(statement, 0)), ret_owner);
    sqlite3_finalize(statement);
    return found;
}

bool journal_record_flip(struct journal *journal, const struct journal_flip *flip,
                         struct fault *fault)
{
    sqlite3_stmt *statement = prepare(
        journal, "INSERT INTO flip(unix_ms, module, owner_from, owner_to, epoch, generation,"
                 " drain_ms, program_ms, total_ms, successful, why)"
                 " VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    if (statement == NULL)
        return sql_fault(journal, fault);
    struct strview from = write_owner_name(flip->from);
    struct strview to = write_owner_name(flip->to);
    sqlite3_bind_int64(statement, 1, (sqlite3_int64)flip->unix_ms);
    sqlite3_bind_text(statement, 2, flip->module, -1, SQLITE_STATIC);
    sqlite3_bind_text(statement, 3, from.data, (int)from.length, SQLITE_STATIC);
    sqlite3_bind_text(statement, 4, to.data, (int)to.length, SQLITE_STATIC);
    sqlite3_bind_int64(statement, 5, (sqlite3_int64)flip->epoch);
    sqlite3_bind_int64(statement, 6, (sqlite3_int64)flip->generation);
    sqlite3_bind_int64(statement, 7, (sqlite3_int64)flip->drain_ms);
    sqlite3_bind_int64(statement, 8, (sqlite3_int64)flip->program_ms);
    sqlite3_bind_int64(statement, 9, (sqlite3_int64)flip->total_ms);
    sqlite3_bind_int(statement, 10, flip->successful);
    sqlite3_bind_text(statement, 11, flip->why, -1, SQLITE_STATIC);
    bool good = sqlite3_step(statement) == SQLITE_DONE;
    sqlite3_finalize(statement);
    return good || sql_fault(journal, fault);
}
