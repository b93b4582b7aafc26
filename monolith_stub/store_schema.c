#include "monolith_stub/store_schema.h"

#include <stddef.h>
#include <stdio.h>

#include "monolith_stub/seed.h"
#include "monolith_stub/store_steps.h"

/* One step of the schema's history. Steps are never edited once shipped, only added. */
struct schema_step {
    const char *sql;
    bool (*fill)(struct store *store); /* NULL: nothing to fill */
};

static const char face1_tables[] =
    "CREATE TABLE users ("
    " id INTEGER PRIMARY KEY, username TEXT NOT NULL UNIQUE, name TEXT NOT NULL,"
    " bio TEXT NOT NULL);"
    "CREATE TABLE threads ("
    " id INTEGER PRIMARY KEY, title TEXT NOT NULL,"
    " created_by INTEGER NOT NULL REFERENCES users(id));"
    "CREATE TABLE posts ("
    " id INTEGER PRIMARY KEY, thread_id INTEGER NOT NULL REFERENCES threads(id),"
    " text TEXT NOT NULL, user_id INTEGER NOT NULL REFERENCES users(id));"
    "CREATE INDEX posts_by_thread ON posts(thread_id, id);"
    "CREATE INDEX posts_by_user ON posts(user_id, id);"
    "CREATE INDEX threads_by_creator ON threads(created_by);";

static const struct schema_step steps[] = {
    {face1_tables, seed_fill},
    {store_step_face2, store_step_face2_fill},
};

enum { STEP_COUNT = sizeof(steps) / sizeof(steps[0]) };

static bool read_version(struct store *store, int *ret_version)
{
    sqlite3_stmt *query = NULL;
    if (sqlite3_prepare_v2(store->database, "PRAGMA user_version", -1, &query, NULL) != SQLITE_OK)
        return false;
    bool found = store_next(query);
    if (found)
        *ret_version = sqlite3_column_int(query, 0);
    sqlite3_finalize(query);
    return found;
}

/* The version is read inside the transaction: two processes that start at once seed once. */
static bool run_next_step(struct store *store, int *ret_version)
{
    int version = 0;
    if (!read_version(store, &version))
        return false;
    if (version < 0 || version > STEP_COUNT) {
        fprintf(stderr, "monolith_stub: the database has schema %d, this program knows %d\n",
                version, (int)STEP_COUNT);
        return false;
    }
    if (version == STEP_COUNT) {
        *ret_version = version;
        return true;
    }
    /* A pragma takes no parameters; the number is ours. */
    char set_version[48];
    snprintf(set_version, sizeof(set_version), "PRAGMA user_version = %d", version + 1);
    const struct schema_step *step = &steps[version];
    if (!store_execute(store, step->sql) || (step->fill != NULL && !step->fill(store)) ||
        !store_execute(store, set_version))
        return false;
    *ret_version = version + 1;
    return true;
}

bool store_schema_update(struct store *store)
{
    int version = 0;
    do {
        if (!store_execute(store, "BEGIN IMMEDIATE"))
            return false;
        if (!run_next_step(store, &version) || !store_execute(store, "COMMIT")) {
            store_execute(store, "ROLLBACK");
            return false;
        }
    } while (version < STEP_COUNT);
    return true;
}
