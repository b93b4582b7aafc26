/* The SQL of the store of mismatches, and its rows as JSON. Internal to mismatch_store.c. */
#ifndef CONTROL_MISMATCH_QUERIES_H
#define CONTROL_MISMATCH_QUERIES_H

#include <jansson.h>
#include <sqlite3.h>

enum mismatch_query {
    MISMATCH_ACCEPTED,
    MISMATCH_COUNT,
    MISMATCH_ADD,
    MISMATCH_FORGET,
    MISMATCH_INSERT_EXAMPLE,
    MISMATCH_TRIM_GROUP,
    MISMATCH_TRIM_ALL,
    MISMATCH_PAGES,
    MISMATCH_LIST,
    MISMATCH_SHOW,
    MISMATCH_EXAMPLES_OF,
    MISMATCH_ACCEPT,
    MISMATCH_QUERY_COUNT
};

extern const char mismatch_pragmas[];
extern const char mismatch_schema[];

/* NULL when it cannot be prepared; the database says why. */
sqlite3_stmt *mismatch_prepare(sqlite3 *database, enum mismatch_query query);

/* A row of MISMATCH_LIST or MISMATCH_SHOW; of MISMATCH_EXAMPLES_OF. */
json_t *mismatch_group_json(sqlite3_stmt *row);
json_t *mismatch_example_json(sqlite3_stmt *row);

#endif
