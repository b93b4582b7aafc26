/*
 * What the forum talks about: /api/threads.
 */
#include "extracted/service_kit/service.h"

enum query { QUERY_ALL, QUERY_ONE, QUERY_IMPORT };

/* created_by is an id of the users service: nothing here checks it. */
static const char *const schema[] = {
    "CREATE TABLE threads (id INTEGER PRIMARY KEY, title TEXT NOT NULL,"
    " created_by INTEGER NOT NULL)",
};

static const char *const queries[] = {
    [QUERY_ALL] = "SELECT id, title, created_by FROM threads ORDER BY id",
    [QUERY_ONE] = "SELECT id, title, created_by FROM threads WHERE id = ?1",
    [QUERY_IMPORT] = "INSERT INTO threads (id, title, created_by) VALUES (?1, ?2, ?3)",
};

static const struct row_member members[] = {
    {"id", ROW_INTEGER}, {"title", ROW_TEXT}, {"createdBy", ROW_INTEGER}};

static const struct row_shape shape = {members, sizeof(members) / sizeof(members[0])};

static void answer_all(struct database *database, const struct http_request *request,
                       struct http_reply *reply)
{
    (void)request;
    row_reply_all(database, QUERY_ALL, &shape, reply);
}

static void answer_one(struct database *database, const struct http_request *request,
                       struct http_reply *reply)
{
    row_reply_one(database, QUERY_ONE, &shape, request, reply);
}

static const struct http_route routes[] = {
    {"GET", "/api/threads", answer_all, 0},
    {"GET", "/api/threads/{}", answer_one, 0},
};

static const struct import_source sources[] = {
    {"/internal/export/threads", "DELETE FROM threads", QUERY_IMPORT, &shape},
};

int main(int argc, char **argv)
{
    static const struct service service = {
        .name = "threads",
        .default_listen = "127.0.0.1:3002",
        .default_database = "threads.db",
        .tables = {schema, sizeof(schema) / sizeof(schema[0]), queries,
                   sizeof(queries) / sizeof(queries[0])},
        .import = {sources, sizeof(sources) / sizeof(sources[0])},
        .router = {routes, sizeof(routes) / sizeof(routes[0])},
    };
    return service_run(&service, argc, argv);
}
