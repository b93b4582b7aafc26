/*
 * What people say: /api/posts, by thread and by user.
 */
#include "extracted/service_kit/service.h"

enum query { QUERY_ALL, QUERY_IN_THREAD, QUERY_BY_USER, QUERY_IMPORT };

/* thread_id and user_id are ids of other services: nothing here checks them. */
static const char *const schema[] = {
    "CREATE TABLE posts (id INTEGER PRIMARY KEY, thread_id INTEGER NOT NULL,"
    " text TEXT NOT NULL, user_id INTEGER NOT NULL);"
    "CREATE INDEX posts_by_thread ON posts(thread_id, id);"
    "CREATE INDEX posts_by_user ON posts(user_id, id);",
};

static const char *const queries[] = {
    [QUERY_ALL] = "SELECT thread_id, text, user_id FROM posts ORDER BY id",
    [QUERY_IN_THREAD] =
        "SELECT thread_id, text, user_id FROM posts WHERE thread_id = ?1 ORDER BY id",
    [QUERY_BY_USER] = "SELECT thread_id, text, user_id FROM posts WHERE user_id = ?1 ORDER BY id",
    [QUERY_IMPORT] = "INSERT INTO posts (id, thread_id, text, user_id) VALUES (?1, ?2, ?3, ?4)",
};

/* In an answer a post has no id; in the export it has. */
static const struct row_member answer_members[] = {
    {"thread", ROW_INTEGER}, {"text", ROW_TEXT}, {"user", ROW_INTEGER}};
static const struct row_member export_members[] = {
    {"id", ROW_INTEGER}, {"thread", ROW_INTEGER}, {"text", ROW_TEXT}, {"user", ROW_INTEGER}};

static const struct row_shape answer_shape = {answer_members,
                                              sizeof(answer_members) / sizeof(answer_members[0])};
static const struct row_shape export_shape = {export_members,
                                              sizeof(export_members) / sizeof(export_members[0])};

static void answer_all(struct database *database, const struct http_request *request,
                       struct http_reply *reply)
{
    (void)request;
    row_reply_all(database, QUERY_ALL, &answer_shape, reply);
}

static void answer_in_thread(struct database *database, const struct http_request *request,
                             struct http_reply *reply)
{
    row_reply_by_id(database, QUERY_IN_THREAD, &answer_shape, request, reply);
}

static void answer_by_user(struct database *database, const struct http_request *request,
                           struct http_reply *reply)
{
    row_reply_by_id(database, QUERY_BY_USER, &answer_shape, request, reply);
}

static const struct http_route routes[] = {
    {"GET", "/api/posts", answer_all, 0},
    {"GET", "/api/posts/in-thread/{}", answer_in_thread, 0},
    {"GET", "/api/posts/by-user/{}", answer_by_user, 0},
};

static const struct import_source sources[] = {
    {"/internal/export/posts", "DELETE FROM posts", QUERY_IMPORT, &export_shape},
};

int main(int argc, char **argv)
{
    static const struct service service = {
        .name = "posts",
        .default_listen = "127.0.0.1:3003",
        .default_database = "posts.db",
        .tables = {schema, sizeof(schema) / sizeof(schema[0]), queries,
                   sizeof(queries) / sizeof(queries[0])},
        .import = {sources, sizeof(sources) / sizeof(sources[0])},
        .router = {routes, sizeof(routes) / sizeof(routes[0])},
    };
    return service_run(&service, argc, argv);
}
