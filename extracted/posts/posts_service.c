/*
 * What people say: /api/posts, by thread and by user.
 */
#include "extracted/posts/posts_api.h"
#include "extracted/posts/posts_pages.h"
#include "extracted/posts/posts_queries.h"
#include "extracted/service_kit/form.h"
#include "extracted/service_kit/json_request.h"
#include "extracted/service_kit/replica.h"
#include "extracted/service_kit/service.h"

/* thread_id and user_id are ids of other services: nothing here checks them. */
static const char *const schema[] = {
    "CREATE TABLE posts (id INTEGER PRIMARY KEY, thread_id INTEGER NOT NULL,"
    " text TEXT NOT NULL, user_id INTEGER NOT NULL);"
    "CREATE INDEX posts_by_thread ON posts(thread_id, id);"
    "CREATE INDEX posts_by_user ON posts(user_id, id);",
    /* AUTOINCREMENT: an id that was ever used, on either side, is not used again. A deleted post
     * stays as an empty row. */
    "ALTER TABLE posts RENAME TO old_posts;"
    "DROP INDEX posts_by_thread; DROP INDEX posts_by_user;"
    "CREATE TABLE posts (id INTEGER PRIMARY KEY AUTOINCREMENT, thread_id INTEGER NOT NULL,"
    " text TEXT NOT NULL, user_id INTEGER NOT NULL, created_ms INTEGER NOT NULL DEFAULT 0,"
    " edited_ms INTEGER, deleted INTEGER NOT NULL DEFAULT 0);"
    "INSERT INTO posts (id, thread_id, text, user_id)"
    " SELECT id, thread_id, text, user_id FROM old_posts;"
    "DROP TABLE old_posts;"
    "CREATE INDEX posts_by_thread ON posts(thread_id, id);"
    "CREATE INDEX posts_by_user ON posts(user_id, id);"
    "CREATE TABLE likes (post_id INTEGER NOT NULL, user_id INTEGER NOT NULL,"
    " created_ms INTEGER NOT NULL, PRIMARY KEY (post_id, user_id)) WITHOUT ROWID;"
    "CREATE TABLE threads (id INTEGER PRIMARY KEY, title TEXT NOT NULL,"
    " category_id INTEGER NOT NULL, epoch INTEGER NOT NULL);"
    "CREATE TABLE categories (id INTEGER PRIMARY KEY, slug TEXT NOT NULL, title TEXT NOT NULL,"
    " epoch INTEGER NOT NULL);" REPLICA_PEOPLE_SCHEMA,
    /* The words of the posts, kept up to date by triggers, whoever changes a post. */
    "CREATE VIRTUAL TABLE post_words USING fts5(text, content = 'posts', content_rowid = 'id');"
    "INSERT INTO post_words (post_words) VALUES ('rebuild');"
    "CREATE TRIGGER words_of_new AFTER INSERT ON posts BEGIN"
    " INSERT INTO post_words (rowid, text) VALUES (new.id, new.text); END;"
    "CREATE TRIGGER words_of_gone AFTER DELETE ON posts BEGIN"
    " INSERT INTO post_words (post_words, rowid, text) VALUES ('delete', old.id, old.text); END;"
    "CREATE TRIGGER words_of_changed AFTER UPDATE ON posts BEGIN"
    " INSERT INTO post_words (post_words, rowid, text) VALUES ('delete', old.id, old.text);"
    " INSERT INTO post_words (rowid, text) VALUES (new.id, new.text); END;",
    /* The pages say who began a thread, and when: all threads are read once more. */
    "ALTER TABLE threads ADD COLUMN created_by INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE threads ADD COLUMN created_ms INTEGER NOT NULL DEFAULT 0;"
    "DELETE FROM cursors WHERE feed = 'threads';",
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

static const struct row_member post_event[] = {
    {"id", ROW_INTEGER},     {"thread", ROW_INTEGER},     {"user", ROW_INTEGER},
    {"text", ROW_TEXT},      {"created_ms", ROW_INTEGER}, {"edited_ms", ROW_INTEGER_OR_NULL},
    {"deleted", ROW_BOOLEAN}};
static const struct row_member like_event[] = {
    {"post", ROW_INTEGER}, {"user", ROW_INTEGER}, {"created_ms", ROW_INTEGER}};
static const struct row_member thread_event[] = {{"id", ROW_INTEGER},
                                                 {"title", ROW_TEXT},
                                                 {"createdBy", ROW_INTEGER},
                                                 {"category", ROW_INTEGER},
                                                 {"created_ms", ROW_INTEGER}};
static const struct row_member category_event[] = {
    {"id", ROW_INTEGER}, {"slug", ROW_TEXT}, {"title", ROW_TEXT}};

static const struct row_shape post_shape = {post_event, 7};
static const struct row_shape like_shape = {like_event, 3};
static const struct row_shape thread_shape = {thread_event, 5};
static const struct row_shape category_shape = {category_event, 3};

const struct feed posts_feeds[] = {
    [FEED_POSTS] = {"posts", "posts", &post_shape, QUERY_PUT_POST, QUERY_DELETE_POST,
                    QUERY_POST_ROWS},
    [FEED_LIKES] = {"likes", "posts", &like_shape, QUERY_PUT_LIKE, QUERY_DELETE_LIKE,
                    QUERY_LIKE_ROWS},
    {"users", "users", &replica_user_shape, QUERY_PUT_USER, QUERY_DELETE_USER, 0},
    {"sessions", "users", &replica_session_shape, QUERY_PUT_SESSION, QUERY_DELETE_SESSION, 0},
    {"threads", "threads", &thread_shape, QUERY_PUT_THREAD, QUERY_DELETE_THREAD, 0},
    {"categories", "threads", &category_shape, QUERY_PUT_CATEGORY, QUERY_DELETE_CATEGORY, 0},
};

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
    {"GET", "/api/2.0/threads/{}/posts", posts_api_thread, 0},
    {"POST", "/api/2.0/threads/{}/posts", posts_api_add, JSON_BODY_LIMIT},
    {"GET", "/api/2.0/posts/{}", posts_api_one, 0},
    {"PATCH", "/api/2.0/posts/{}", posts_api_edit, JSON_BODY_LIMIT},
    {"DELETE", "/api/2.0/posts/{}", posts_api_delete, 0},
    {"PUT", "/api/2.0/posts/{}/like", posts_api_like, 0},
    {"DELETE", "/api/2.0/posts/{}/like", posts_api_unlike, 0},
    {"GET", "/api/2.0/search", posts_api_search, 0},
    {"GET", "/forum/t/{}", posts_page_thread, 0},
    {"POST", "/forum/t/{}/reply", posts_page_reply, FORM_BODY_LIMIT},
    {"GET", "/forum/p/{}/edit", posts_page_edit, 0},
    {"POST", "/forum/p/{}/edit", posts_page_edit_send, FORM_BODY_LIMIT},
    {"POST", "/forum/p/{}/delete", posts_page_delete, FORM_BODY_LIMIT},
    {"POST", "/forum/p/{}/like", posts_page_like, FORM_BODY_LIMIT},
    {"GET", "/forum/search", posts_page_search, 0},
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
        .tables = {schema, sizeof(schema) / sizeof(schema[0]), posts_queries, POSTS_QUERY_COUNT},
        .feeds = {"posts", posts_feeds, sizeof(posts_feeds) / sizeof(posts_feeds[0])},
        .session_query = QUERY_SESSION,
        .username_query = QUERY_USERNAME,
        .import = {sources, sizeof(sources) / sizeof(sources[0])},
        .router = {routes, sizeof(routes) / sizeof(routes[0])},
    };
    return service_run(&service, argc, argv);
}
