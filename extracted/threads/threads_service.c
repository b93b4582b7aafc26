/*
 * What the forum talks about: /api/threads.
 */
#include "extracted/service_kit/form.h"
#include "extracted/service_kit/replica.h"
#include "extracted/service_kit/service.h"
#include "extracted/threads/threads_api.h"
#include "extracted/threads/threads_pages.h"
#include "extracted/threads/threads_queries.h"

/* created_by is an id of the users service: nothing here checks it. */
static const char *const schema[] = {
    "CREATE TABLE threads (id INTEGER PRIMARY KEY, title TEXT NOT NULL,"
    " created_by INTEGER NOT NULL)",
    /* AUTOINCREMENT: an id that was ever used, on either side, is not used again. */
    "ALTER TABLE threads RENAME TO old_threads;"
    "CREATE TABLE threads (id INTEGER PRIMARY KEY AUTOINCREMENT, title TEXT NOT NULL,"
    " created_by INTEGER NOT NULL, category_id INTEGER NOT NULL DEFAULT 1,"
    " created_ms INTEGER NOT NULL DEFAULT 0);"
    "INSERT INTO threads (id, title, created_by) SELECT id, title, created_by FROM old_threads;"
    "DROP TABLE old_threads;"
    "CREATE INDEX threads_in_category ON threads(category_id, id);"
    "CREATE TABLE categories (id INTEGER PRIMARY KEY AUTOINCREMENT, slug TEXT NOT NULL UNIQUE,"
    " title TEXT NOT NULL, description TEXT NOT NULL, position INTEGER NOT "
    "NULL);" REPLICA_PEOPLE_SCHEMA,
};

static const struct row_member members[] = {
    {"id", ROW_INTEGER}, {"title", ROW_TEXT}, {"createdBy", ROW_INTEGER}};

static const struct row_shape shape = {members, sizeof(members) / sizeof(members[0])};

static const struct row_member category_event[] = {{"id", ROW_INTEGER},
                                                   {"slug", ROW_TEXT},
                                                   {"title", ROW_TEXT},
                                                   {"description", ROW_TEXT},
                                                   {"position", ROW_INTEGER}};
static const struct row_member thread_event[] = {{"id", ROW_INTEGER},
                                                 {"title", ROW_TEXT},
                                                 {"createdBy", ROW_INTEGER},
                                                 {"category", ROW_INTEGER},
                                                 {"created_ms", ROW_INTEGER}};

static const struct row_shape category_shape = {category_event, 5};
static const struct row_shape thread_shape = {thread_event, 5};

const struct feed threads_feeds[] = {
    [FEED_CATEGORIES] = {"categories", "threads", &category_shape, QUERY_PUT_CATEGORY,
                         QUERY_DELETE_CATEGORY, QUERY_CATEGORY_ROWS},
    [FEED_THREADS] = {"threads", "threads", &thread_shape, QUERY_PUT_THREAD, QUERY_DELETE_THREAD,
                      QUERY_THREAD_ROWS},
    {"users", "users", &replica_user_shape, QUERY_PUT_USER, QUERY_DELETE_USER, 0},
    {"sessions", "users", &replica_session_shape, QUERY_PUT_SESSION, QUERY_DELETE_SESSION, 0},
};

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
    {"GET", "/api/2.0/categories", threads_api_categories, 0},
    {"GET", "/api/2.0/categories/{}/threads", threads_api_category, 0},
    {"GET", "/api/2.0/threads", threads_api_batch, 0},
    {"GET", "/api/2.0/threads/{}", threads_api_one, 0},
    {"POST", "/api/2.0/threads", threads_api_add, JSON_BODY_LIMIT},
    {"GET", "/forum", threads_page_front, 0},
    {"GET", "/forum/c/{}", threads_page_category, 0},
    {"GET", "/forum/c/{}/new", threads_page_new, 0},
    {"POST", "/forum/c/{}/new", threads_page_new_send, FORM_BODY_LIMIT},
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
        .tables = {schema, sizeof(schema) / sizeof(schema[0]), threads_queries,
                   THREADS_QUERY_COUNT},
        .feeds = {"threads", threads_feeds, sizeof(threads_feeds) / sizeof(threads_feeds[0])},
        .session_query = QUERY_SESSION,
        .username_query = QUERY_USERNAME,
        .import = {sources, sizeof(sources) / sizeof(sources[0])},
        .router = {routes, sizeof(routes) / sizeof(routes[0])},
    };
    return service_run(&service, argc, argv);
}
