/*
 * The forum's people: /api/users.
 */
#include "extracted/service_kit/service.h"

enum query { QUERY_ALL, QUERY_ONE, QUERY_IMPORT };

static const char *const schema[] = {
    "CREATE TABLE users (id INTEGER PRIMARY KEY, username TEXT NOT NULL UNIQUE,"
    " name TEXT NOT NULL, bio TEXT NOT NULL)",
};

static const char *const queries[] = {
    [QUERY_ALL] = "SELECT id, username, name, bio FROM users ORDER BY id",
    [QUERY_ONE] = "SELECT id, username, name, bio FROM users WHERE id = ?1",
    [QUERY_IMPORT] = "INSERT INTO users (id, username, name, bio) VALUES (?1, ?2, ?3, ?4)",
};

static const struct row_member members[] = {
    {"id", ROW_INTEGER}, {"username", ROW_TEXT}, {"name", ROW_TEXT}, {"bio", ROW_TEXT}};

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
    {"GET", "/api/users", answer_all, 0},
    {"GET", "/api/users/{}", answer_one, 0},
};

static const struct import_source sources[] = {
    {"/internal/export/users", "DELETE FROM users", QUERY_IMPORT, &shape},
};

int main(int argc, char **argv)
{
    static const struct service service = {
        .name = "users",
        .default_listen = "127.0.0.1:3001",
        .default_database = "users.db",
        .tables = {schema, sizeof(schema) / sizeof(schema[0]), queries,
                   sizeof(queries) / sizeof(queries[0])},
        .import = {sources, sizeof(sources) / sizeof(sources[0])},
        .router = {routes, sizeof(routes) / sizeof(routes[0])},
    };
    return service_run(&service, argc, argv);
}
