#include "proxy/control/journal_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proxy/core/array.h"

/* Who else writes into the file holds everything up, abort's record included: not for long. */
enum { PATH_BYTES = 4096, BUSY_MS = 250 };

/* --- statements ---------------------------------------------------------------------------- */

bool sql_fault(const struct journal *journal, struct fault *fault)
{
    return fault_set(fault, "the journal failed: %s", sqlite3_errmsg(journal->database));
}

static bool bind(sqlite3_stmt *statement, int index, const struct sql_value *value)
{
    if (!value->is_text)
        return sqlite3_bind_int64(statement, index, (sqlite3_int64)value->number) == SQLITE_OK;
    const char *data = value->text.data != NULL ? value->text.data : "";
    return sqlite3_bind_text(statement, index, data, (int)value->text.length, SQLITE_STATIC) ==
           SQLITE_OK;
}

sqlite3_stmt *sql_prepare(struct journal *journal, const char *sql, const struct sql_value *values,
                          size_t count, struct fault *fault)
{
    sqlite3_stmt *statement = NULL;
    bool good = sqlite3_prepare_v2(journal->database, sql, -1, &statement, NULL) == SQLITE_OK;
    for (size_t i = 0; good && i < count; i++)
        good = bind(statement, (int)i + 1, &values[i]);
    if (good)
        return statement;
    sql_fault(journal, fault);
    sqlite3_finalize(statement);
    return NULL;
}

bool sql_run(struct journal *journal, const char *sql, const struct sql_value *values, size_t count,
             struct fault *fault)
{
    sqlite3_stmt *statement = sql_prepare(journal, sql, values, count, fault);
    if (statement == NULL)
        return false;
    bool good = sqlite3_step(statement) == SQLITE_DONE || sql_fault(journal, fault);
    sqlite3_finalize(statement);
    return good;
}

struct strview sql_column_text(sqlite3_stmt *statement, int column)
{
    const char *text = (const char *)sqlite3_column_text(statement, column);
    return text != NULL ? strview_make(text, (size_t)sqlite3_column_bytes(statement, column))
                        : STRVIEW("");
}

uint64_t sql_column_number(sqlite3_stmt *statement, int column)
{
    return (uint64_t)sqlite3_column_int64(statement, column);
}

/* --- transactions -------------------------------------------------------------------------- */

/* A file that was deleted or replaced would take changes that no restart finds. */
static bool is_in_place(struct journal *journal)
{
    int moved = 0;
    return sqlite3_file_control(journal->database, "main", SQLITE_FCNTL_HAS_MOVED, &moved) !=
               SQLITE_OK ||
           moved == 0;
}

bool journal_begin(struct journal *journal, struct fault *fault)
{
    if (!is_in_place(journal))
        return fault_set(fault, "the journal's file has been deleted or replaced; a restart makes "
                                "or takes the new one");
    return sql_run(journal, "BEGIN IMMEDIATE", NULL, 0, fault);
}

bool journal_commit(struct journal *journal, struct fault *fault)
{
    if (sql_run(journal, "COMMIT", NULL, 0, fault))
        return true;
    journal_rollback(journal);
    return false;
}

void journal_rollback(struct journal *journal)
{
    /* Some failures have ended the transaction already. */
    if (sqlite3_get_autocommit(journal->database) == 0)
        sqlite3_exec(journal->database, "ROLLBACK", NULL, NULL, NULL);
}

/* --- the file ------------------------------------------------------------------------------ */

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

/* The folder is locked and not the file: SQLite has locks of its own there. */
static bool take_folder(struct journal *journal, const char *path, struct fault *fault)
{
    if (mkdir(path, 0750) != 0 && errno != EEXIST)
        return fault_set(fault, "cannot make state_dir `%s`: %s", path, strerror(errno));
    journal->folder_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (journal->folder_fd < 0)
        return fault_set(fault, "cannot open state_dir `%s`: %s", path, strerror(errno));
    if (flock(journal->folder_fd, LOCK_EX | LOCK_NB) != 0)
        return fault_set(fault, "another proxy uses state_dir `%s`", path);
    return true;
}

static bool is_intact(struct journal *journal, const char *path, struct fault *fault)
{
    sqlite3_stmt *statement = sql_prepare(journal, "PRAGMA quick_check(1)", NULL, 0, fault);
    bool good = statement != NULL && sqlite3_step(statement) == SQLITE_ROW &&
                strview_equal(sql_column_text(statement, 0), STRVIEW("ok"));
    sqlite3_finalize(statement);
    return good || fault_set(fault,
                             "the journal `%s` is damaged (%s); restore it, or move it away: then "
                             "the files alone say what is in force",
                             path, sqlite3_errmsg(journal->database));
}

static bool open_file(struct journal *journal, const char *path, struct fault *fault)
{
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    if (sqlite3_open_v2(path, &journal->database, flags, NULL) != SQLITE_OK)
        return fault_set(fault, "cannot open the journal `%s`: %s", path,
                         sqlite3_errmsg(journal->database));
    sqlite3_busy_timeout(journal->database, BUSY_MS);
    if (!is_intact(journal, path, fault))
        return false;
    if (sqlite3_exec(journal->database, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;",
                     NULL, NULL, NULL) != SQLITE_OK)
        return sql_fault(journal, fault);
    return journal_update_schema(journal, fault);
}

struct journal *journal_open(const char *state_dir, struct fault *fault)
{
    char path[PATH_BYTES];
    if (!format_path(state_dir, path)) {
        fault_set(fault, "the path of state_dir is too long");
        return NULL;
    }
    struct journal *journal = memory_zalloc(sizeof(*journal));
    journal->folder_fd = -1;
    if (take_folder(journal, state_dir, fault) && open_file(journal, path, fault))
        return journal;
    journal_close(journal);
    return NULL;
}

void journal_close(struct journal *journal)
{
    if (journal == NULL)
        return;
    sqlite3_close(journal->database);
    if (journal->folder_fd >= 0)
        close(journal->folder_fd);
    free(journal);
}
