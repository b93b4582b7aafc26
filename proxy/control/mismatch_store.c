#include "proxy/control/mismatch_store.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proxy/control/mismatch_queries.h"
#include "proxy/core/array.h"
#include "proxy/core/log.h"

enum { PATH_BYTES = 4096, BUSY_MS = 1000, SPARED_EXAMPLES = 200, SPARED_GROUPS = 100 };

/* What the file may grow to; past it the oldest examples go. */
#define FILE_PAGES_WANTED 12288

struct accepted_group {
    char *module;
    char *path;
    char *field;
    enum difference_kind kind;
};

struct mismatch_store {
    sqlite3 *writer; /* the compare thread's */
    sqlite3 *reader; /* control's */
    struct difference_store interface;
    pthread_mutex_t lock; /* for what is accepted */
    struct {
        struct accepted_group *items;
        size_t count;
        size_t capacity;
    } accepted;
    bool has_complained;
};

/* --- opening -------------------------------------------------------------------------------- */

static bool sql_fault(sqlite3 *database, struct fault *fault)
{
    return fault_set(fault, "the store of mismatches failed: %s", sqlite3_errmsg(database));
}

/* What backends answered is for our eyes: SQLite gives the files beside it the same mode. */
static bool make_file(const char *path, struct fault *fault)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || fchmod(fd, 0600) != 0) {
        fault_set(fault, "cannot make `%s`: %s", path, strerror(errno));
        if (fd >= 0)
            close(fd);
        return false;
    }
    close(fd);
    return true;
}

static bool open_file(const char *path, sqlite3 **ret_database, struct fault *fault)
{
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    if (sqlite3_open_v2(path, ret_database, flags, NULL) != SQLITE_OK)
        return sql_fault(*ret_database, fault);
    sqlite3_busy_timeout(*ret_database, BUSY_MS);
    if (sqlite3_exec(*ret_database, mismatch_pragmas, NULL, NULL, NULL) != SQLITE_OK)
        return sql_fault(*ret_database, fault);
    return true;
}

/* Under the lock. */
static bool has_accepted(const struct mismatch_store *store, const struct difference_group *group)
{
    for (size_t i = 0; i < store->accepted.count; i++) {
        const struct accepted_group *accepted = &store->accepted.items[i];
        if (accepted->kind == group->kind &&
            strview_equal(strview_of(accepted->module), group->module) &&
            strview_equal(strview_of(accepted->path), group->path_template) &&
            strview_equal(strview_of(accepted->field), group->field))
            return true;
    }
    return false;
}

/* `row` begins with module, path, field, kind. */
static void add_accepted(struct mismatch_store *store, sqlite3_stmt *row)
{
    const char *names[3];
    for (int i = 0; i < 3; i++)
        names[i] = (const char *)sqlite3_column_text(row, i);
    enum difference_kind kind = (enum difference_kind)sqlite3_column_int(row, 3);
    const struct difference_group group = {strview_of(names[0]), strview_of(names[1]),
                                           strview_of(names[2]), kind};
    pthread_mutex_lock(&store->lock);
    if (!has_accepted(store, &group))
        *ARRAY_PUSH(&store->accepted) = (struct accepted_group){
            memory_strdup(names[0]), memory_strdup(names[1]), memory_strdup(names[2]), kind};
    pthread_mutex_unlock(&store->lock);
}

static bool load_accepted(struct mismatch_store *store, struct fault *fault)
{
    sqlite3_stmt *row = mismatch_prepare(store->reader, MISMATCH_ACCEPTED);
    while (row != NULL && sqlite3_step(row) == SQLITE_ROW)
        add_accepted(store, row);
    bool good = row != NULL && sqlite3_reset(row) == SQLITE_OK;
    sqlite3_finalize(row);
    return good || sql_fault(store->reader, fault);
}

static bool open_store(struct mismatch_store *store, const char *state_dir, struct fault *fault)
{
    char path[PATH_BYTES];
    int length = snprintf(path, sizeof(path), "%s/mismatches.db", state_dir);
    if (length < 0 || length >= PATH_BYTES)
        return fault_set(fault, "the path of state_dir is too long");
    if (mkdir(state_dir, 0750) != 0 && errno != EEXIST)
        return fault_set(fault, "cannot make state_dir `%s`: %s", state_dir, strerror(errno));
    if (!make_file(path, fault) || !open_file(path, &store->writer, fault) ||
        !open_file(path, &store->reader, fault))
        return false;
    if (sqlite3_exec(store->writer, mismatch_schema, NULL, NULL, NULL) != SQLITE_OK)
        return sql_fault(store->writer, fault);
    return load_accepted(store, fault);
}

static void record(void *context, const struct difference_example *example);
static bool is_accepted(void *context, const struct difference_group *group);

struct mismatch_store *mismatch_store_open(const char *state_dir, struct fault *fault)
{
    struct mismatch_store *store = memory_zalloc(sizeof(*store));
    pthread_mutex_init(&store->lock, NULL);
    store->interface = (struct difference_store){store, record, is_accepted};
    if (open_store(store, state_dir, fault))
        return store;
    mismatch_store_close(store);
    return NULL;
}

void mismatch_store_close(struct mismatch_store *store)
{
    if (store == NULL)
        return;
    sqlite3_close(store->writer);
    sqlite3_close(store->reader);
    for (size_t i = 0; i < store->accepted.count; i++) {
        free(store->accepted.items[i].module);
        free(store->accepted.items[i].path);
        free(store->accepted.items[i].field);
    }
    free(store->accepted.items);
    pthread_mutex_destroy(&store->lock);
    free(store);
}

const struct difference_store *mismatch_store_interface(struct mismatch_store *store)
{
    return &store->interface;
}

/* --- the compare thread --------------------------------------------------------------------- */

static bool is_accepted(void *context, const struct difference_group *group)
{
    struct mismatch_store *store = context;
    pthread_mutex_lock(&store->lock);
    bool found = has_accepted(store, group);
    pthread_mutex_unlock(&store->lock);
    return found;
}

static void bind(sqlite3_stmt *statement, int place, struct strview text)
{
    sqlite3_bind_text(statement, place, text.data != NULL ? text.data : "", (int)text.length,
                      SQLITE_STATIC);
}

static bool run(sqlite3_stmt *statement)
{
    bool good = statement != NULL && sqlite3_step(statement) == SQLITE_DONE;
    sqlite3_finalize(statement);
    return good;
}

/* One of the queries that name the example's group and return its id; 0 when there is no such row.
 */
static bool find_group(struct mismatch_store *store, enum mismatch_query query,
                       const struct difference_example *example, sqlite3_int64 *ret_id)
{
    const struct difference_group *group = &example->group;
    sqlite3_stmt *row = mismatch_prepare(store->writer, query);
    if (row == NULL)
        return false;
    bind(row, 1, group->module);
    bind(row, 2, group->path_template);
    bind(row, 3, group->field);
    sqlite3_bind_int(row, 4, (int)group->kind);
    sqlite3_bind_int64(row, 5, (sqlite3_int64)example->unix_ms);
    if (query == MISMATCH_ADD)
        sqlite3_bind_int(row, 6, MISMATCH_GROUPS_MAX);
    int status = sqlite3_step(row);
    *ret_id = status == SQLITE_ROW ? sqlite3_column_int64(row, 0) : 0;
    sqlite3_finalize(row);
    return status == SQLITE_ROW || status == SQLITE_DONE;
}

static bool run_with_limit(struct mismatch_store *store, enum mismatch_query query, int limit)
{
    sqlite3_stmt *row = mismatch_prepare(store->writer, query);
    if (row == NULL)
        return false;
    sqlite3_bind_int(row, 1, limit);
    return run(row);
}

/* Counts the example's group, or makes it; who was seen longest ago makes room. 0: all are
 * accepted.
 */
static bool count_group(struct mismatch_store *store, const struct difference_example *example,
                        sqlite3_int64 *ret_id)
{
    if (!find_group(store, MISMATCH_COUNT, example, ret_id))
        return false;
    if (*ret_id == 0 && !find_group(store, MISMATCH_ADD, example, ret_id))
        return false;
    if (*ret_id != 0)
        return true;
    return run_with_limit(store, MISMATCH_FORGET, SPARED_GROUPS) &&
           find_group(store, MISMATCH_ADD, example, ret_id);
}

static void bind_side(sqlite3_stmt *statement, int place, const struct difference_side *side)
{
    sqlite3_bind_int(statement, place, side->status);
    bind(statement, place + 1, side->head);
    sqlite3_bind_blob(statement, place + 2, side->body.data != NULL ? side->body.data : "",
                      (int)side->body.length, SQLITE_STATIC);
    bind(statement, place + 3, side->excerpt);
}

static bool insert_example(struct mismatch_store *store, sqlite3_int64 group,
                           const struct difference_example *example)
{
    sqlite3_stmt *row = mismatch_prepare(store->writer, MISMATCH_INSERT_EXAMPLE);
    if (row == NULL)
        return false;
    sqlite3_bind_int64(row, 1, group);
    sqlite3_bind_int64(row, 2, (sqlite3_int64)example->unix_ms);
    bind(row, 3, example->route);
    bind(row, 4, example->method);
    bind(row, 5, example->path);
    bind(row, 6, example->request_id);
    bind_side(row, 7, &example->first);
    bind_side(row, 11, &example->second);
    return run(row);
}

/* The first example of a group stays, and the newest; of all, the oldest go when the file is full.
 */
static bool trim(struct mismatch_store *store, sqlite3_int64 group)
{
    sqlite3_stmt *row = mismatch_prepare(store->writer, MISMATCH_TRIM_GROUP);
    if (row == NULL)
        return false;
    sqlite3_bind_int64(row, 1, group);
    sqlite3_bind_int(row, 2, MISMATCH_EXAMPLES);
    if (!run(row))
        return false;
    row = mismatch_prepare(store->writer, MISMATCH_PAGES);
    bool full = row != NULL && sqlite3_step(row) == SQLITE_ROW &&
                sqlite3_column_int64(row, 0) > FILE_PAGES_WANTED;
    sqlite3_finalize(row);
    if (!full)
        return true;
    return run_with_limit(store, MISMATCH_TRIM_ALL, SPARED_EXAMPLES);
}

static bool record_in_transaction(struct mismatch_store *store,
                                  const struct difference_example *example)
{
    sqlite3_int64 group;
    if (!count_group(store, example, &group))
        return false;
    return group == 0 || (insert_example(store, group, example) && trim(store, group));
}

static bool execute(struct mismatch_store *store, const char *sql)
{
    return sqlite3_exec(store->writer, sql, NULL, NULL, NULL) == SQLITE_OK;
}

static void record(void *context, const struct difference_example *example)
{
    struct mismatch_store *store = context;
    bool good = execute(store, "BEGIN IMMEDIATE") && record_in_transaction(store, example) &&
                execute(store, "COMMIT");
    if (good)
        return;
    if (!store->has_complained)
        log_error("the store of mismatches failed: %s", sqlite3_errmsg(store->writer));
    store->has_complained = true;
    execute(store, "ROLLBACK");
}

/* --- control -------------------------------------------------------------------------------- */

json_t *mismatch_store_list(struct mismatch_store *store, struct strview module, uint32_t limit,
                            struct fault *fault)
{
    sqlite3_stmt *row = mismatch_prepare(store->reader, MISMATCH_LIST);
    json_t *list = json_array();
    int status = SQLITE_ERROR;
    if (row != NULL) {
        bind(row, 1, module);
        sqlite3_bind_int64(row, 2, limit);
        while ((status = sqlite3_step(row)) == SQLITE_ROW)
            json_array_append_new(list, mismatch_group_json(row));
    }
    sqlite3_finalize(row);
    if (status == SQLITE_DONE)
        return list;
    json_decref(list);
    sql_fault(store->reader, fault);
    return NULL;
}

static bool add_examples(struct mismatch_store *store, uint64_t id, json_t *group)
{
    sqlite3_stmt *row = mismatch_prepare(store->reader, MISMATCH_EXAMPLES_OF);
    json_t *list = json_array();
    int status = SQLITE_ERROR;
    if (row != NULL) {
        sqlite3_bind_int64(row, 1, (sqlite3_int64)id);
        while ((status = sqlite3_step(row)) == SQLITE_ROW)
            json_array_append_new(list, mismatch_example_json(row));
    }
    sqlite3_finalize(row);
    json_object_set_new(group, "examples", list);
    return status == SQLITE_DONE;
}

json_t *mismatch_store_show(struct mismatch_store *store, uint64_t id, struct fault *fault)
{
    sqlite3_stmt *row = mismatch_prepare(store->reader, MISMATCH_SHOW);
    json_t *group = NULL;
    int status = SQLITE_ERROR;
    fault->text[0] = '\0';
    if (row != NULL) {
        sqlite3_bind_int64(row, 1, (sqlite3_int64)id);
        status = sqlite3_step(row);
        if (status == SQLITE_ROW)
            group = mismatch_group_json(row);
    }
    sqlite3_finalize(row);
    if (status == SQLITE_DONE)
        return NULL;
    if (group != NULL && add_examples(store, id, group))
        return group;
    json_decref(group);
    sql_fault(store->reader, fault);
    return NULL;
}

bool mismatch_store_accept(struct mismatch_store *store, uint64_t id, struct strview who,
                           struct strview why, uint64_t unix_ms, struct fault *fault)
{
    sqlite3_stmt *row = mismatch_prepare(store->reader, MISMATCH_ACCEPT);
    int status = SQLITE_ERROR;
    fault->text[0] = '\0';
    if (row != NULL) {
        sqlite3_bind_int64(row, 1, (sqlite3_int64)id);
        bind(row, 2, who);
        bind(row, 3, why);
        sqlite3_bind_int64(row, 4, (sqlite3_int64)unix_ms);
        status = sqlite3_step(row);
        if (status == SQLITE_ROW)
            add_accepted(store, row);
    }
    bool found = status == SQLITE_ROW;
    if (found)
        status = sqlite3_step(row);
    sqlite3_finalize(row);
    if (status != SQLITE_DONE)
        sql_fault(store->reader, fault);
    return found && status == SQLITE_DONE;
}
