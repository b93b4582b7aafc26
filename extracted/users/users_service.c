/*
 * The forum's people: /api/users.
 */
#include "extracted/service_kit/form.h"
#include "extracted/service_kit/json_request.h"
#include "extracted/service_kit/service.h"
#include "extracted/service_kit/session.h"
#include "extracted/users/users_api.h"
#include "extracted/users/users_pages.h"
#include "extracted/users/users_queries.h"

enum { CHECK_LIMIT = 4096 };

static const char *const schema[] = {
    "CREATE TABLE users (id INTEGER PRIMARY KEY, username TEXT NOT NULL UNIQUE,"
    " name TEXT NOT NULL, bio TEXT NOT NULL)",
    /* AUTOINCREMENT: an id that was ever used, on either side, is not used again. */
    "ALTER TABLE users RENAME TO old_users;"
    "CREATE TABLE users (id INTEGER PRIMARY KEY AUTOINCREMENT, username TEXT NOT NULL UNIQUE,"
    " name TEXT NOT NULL, bio TEXT NOT NULL, created_ms INTEGER NOT NULL DEFAULT 0);"
    "INSERT INTO users (id, username, name, bio) SELECT id, username, name, bio FROM old_users;"
    "DROP TABLE old_users;"
    "CREATE TABLE accounts (id INTEGER PRIMARY KEY, username TEXT NOT NULL UNIQUE,"
    " salt TEXT NOT NULL, hash TEXT NOT NULL, n INTEGER NOT NULL, r INTEGER NOT NULL,"
    " p INTEGER NOT NULL);"
    "CREATE TABLE sessions (id TEXT PRIMARY KEY, user_id INTEGER NOT NULL,"
    " created_ms INTEGER NOT NULL, expires_ms INTEGER NOT NULL) WITHOUT ROWID;",
    "CREATE INDEX sessions_by_expiry ON sessions(expires_ms);",
};

static const struct row_member members[] = {
    {"id", ROW_INTEGER}, {"username", ROW_TEXT}, {"name", ROW_TEXT}, {"bio", ROW_TEXT}};

static const struct row_shape shape = {members, sizeof(members) / sizeof(members[0])};

static const struct row_member user_event[] = {{"id", ROW_INTEGER},
                                               {"username", ROW_TEXT},
                                               {"name", ROW_TEXT},
                                               {"bio", ROW_TEXT},
                                               {"created_ms", ROW_INTEGER}};
static const struct row_member account_event[] = {
    {"id", ROW_INTEGER}, {"username", ROW_TEXT}, {"salt", ROW_TEXT}, {"hash", ROW_TEXT},
    {"n", ROW_INTEGER},  {"r", ROW_INTEGER},     {"p", ROW_INTEGER}};
static const struct row_member session_event[] = {{"id", ROW_TEXT},
                                                  {"user", ROW_INTEGER},
                                                  {"created_ms", ROW_INTEGER},
                                                  {"expires_ms", ROW_INTEGER}};

static const struct row_shape user_shape = {user_event, 5};
static const struct row_shape account_shape = {account_event, 7};
static const struct row_shape session_shape = {session_event, 4};

const struct feed users_feeds[USERS_FEED_COUNT] = {
    [FEED_USERS] = {"users", "users", &user_shape, QUERY_PUT_USER, QUERY_DELETE_USER,
                    QUERY_USER_ROWS},
    [FEED_ACCOUNTS] = {"accounts", "users", &account_shape, QUERY_PUT_ACCOUNT, QUERY_DELETE_ACCOUNT,
                       QUERY_ACCOUNT_ROWS},
    [FEED_SESSIONS] = {"sessions", "users", &session_shape, QUERY_PUT_SESSION, QUERY_DELETE_SESSION,
                       QUERY_SESSION_ROWS},
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
    {"GET", "/api/users", answer_all, 0},
    {"GET", "/api/users/{}", answer_one, 0},
    {"POST", "/api/2.0/users", users_api_register, JSON_BODY_LIMIT},
    {"GET", "/api/2.0/users", users_api_batch, 0},
    {"GET", "/api/2.0/users/{}", users_api_one, 0},
    {"PATCH", "/api/2.0/users/{}", users_api_edit, JSON_BODY_LIMIT},
    {"GET", "/api/2.0/me", users_api_me, 0},
    {"POST", "/api/2.0/sessions", users_api_log_in, JSON_BODY_LIMIT},
    {"DELETE", "/api/2.0/sessions/current", users_api_log_out, 0},
    {"GET", "/forum/register", users_page_register, 0},
    {"POST", "/forum/register", users_page_register_send, FORM_BODY_LIMIT},
    {"GET", "/forum/login", users_page_log_in, 0},
    {"POST", "/forum/login", users_page_log_in_send, FORM_BODY_LIMIT},
    {"POST", "/forum/logout", users_page_log_out, FORM_BODY_LIMIT},
    {"GET", "/forum/u/{}", users_page_profile, 0},
    {"GET", "/forum/u/{}/edit", users_page_edit, 0},
    {"POST", "/forum/u/{}/edit", users_page_edit_send, FORM_BODY_LIMIT},
    {"POST", "/internal/sessions/check", session_answer_check, CHECK_LIMIT},
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
        .tables = {schema, sizeof(schema) / sizeof(schema[0]), users_queries, USERS_QUERY_COUNT},
        .feeds = {"users", users_feeds, USERS_FEED_COUNT},
        .session_query = QUERY_SESSION,
        .username_query = QUERY_USERNAME,
        .import = {sources, sizeof(sources) / sizeof(sources[0])},
        .router = {routes, sizeof(routes) / sizeof(routes[0])},
    };
    return service_run(&service, argc, argv);
}
