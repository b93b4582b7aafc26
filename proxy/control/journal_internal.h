/* The journal from inside: statements with their values. Shared by the journal_*.c files. */
#ifndef CONTROL_JOURNAL_INTERNAL_H
#define CONTROL_JOURNAL_INTERNAL_H

#include <sqlite3.h>

#include "proxy/control/journal.h"

struct journal {
    sqlite3 *database;
    int folder_fd; /* locked, so that no other proxy uses the same journal */
};

/* A value for a statement's `?`. */
struct sql_value {
    bool is_text;
    struct strview text;
    uint64_t number;
};

#define SQL_TEXT(view)                                                                             \
    (struct sql_value)                                                                             \
    {                                                                                              \
        .is_text = true, .text = (view)                                                            \
    }
#define SQL_NUMBER(value)                                                                          \
    (struct sql_value)                                                                             \
    {                                                                                              \
        .number = (uint64_t)(value)                                                                \
    }

/* The statement with its values, in their order; NULL with *fault set. Texts are borrowed. */
sqlite3_stmt *sql_prepare(struct journal *journal, const char *sql, const struct sql_value *values,
                          size_t count, struct fault *fault);

/* Runs a statement without rows. */
bool sql_run(struct journal *journal, const char *sql, const struct sql_value *values, size_t count,
             struct fault *fault);

#define SQL_VALUES(...)                                                                            \
    (const struct sql_value[]){__VA_ARGS__},                                                       \
        sizeof((const struct sql_value[]){__VA_ARGS__}) / sizeof(struct sql_value)

/* *fault: what SQLite says; returns false. */
bool sql_fault(const struct journal *journal, struct fault *fault);

struct strview sql_column_text(sqlite3_stmt *statement, int column);
uint64_t sql_column_number(sqlite3_stmt *statement, int column);

/* Brings the file to the version of this program. */
bool journal_update_schema(struct journal *journal, struct fault *fault);

#endif
