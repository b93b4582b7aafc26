#include "extracted/service_kit/session.h"

#include <jansson.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "extracted/service_kit/hex.h"
#include "extracted/service_kit/http_task.h"
#include "extracted/service_kit/ownership.h"
#include "extracted/service_kit/problem.h"
#include "extracted/service_kit/service_state.h"
#include "extracted/service_kit/token.h"

enum { SOURCES = 2, URL_LENGTH = 512, ANSWER_LIMIT = 4096 };

struct session {
    int64_t user;
    int64_t expires_ms;
};

struct question {
    struct check *check;
    struct http_call *call; /* NULL: answered, or never asked */
};

struct check {
    struct http_task task;
    struct question questions[SOURCES];
    unsigned asked;
    unsigned answered;
    bool is_decided; /* the owner of the sessions has spoken */
    int64_t patience_ms;
    int64_t known_user; /* by our own copy; 0: by it there is none */
    int64_t user;       /* the outcome */
    int64_t now_ms;
};

static struct http_view next_cookie(struct http_view *rest)
{
    while (rest->length > 0 && (*rest->bytes == ' ' || *rest->bytes == ';')) {
        rest->bytes++;
        rest->length--;
    }
    struct http_view cookie = {rest->bytes, 0};
    while (cookie.length < rest->length && cookie.bytes[cookie.length] != ';')
        cookie.length++;
    rest->bytes += cookie.length;
    rest->length -= cookie.length;
    return cookie;
}

bool session_read_cookie(struct http_view cookies, const char *name, struct http_view *ret_token)
{
    size_t length = strlen(name);
    while (cookies.length > 0) {
        struct http_view cookie = next_cookie(&cookies);
        if (cookie.length <= length || cookie.bytes[length] != '=' ||
            memcmp(cookie.bytes, name, length) != 0)
            continue;
        struct http_view value = {cookie.bytes + length + 1, cookie.length - length - 1};
        if (!token_is_one(value))
            continue;
        *ret_token = value;
        return true;
    }
    return false;
}

bool session_hash(struct http_view token, char ret_hash[SESSION_HASH_LENGTH + 1])
{
    unsigned char hash[SESSION_HASH_LENGTH / 2];
    if (EVP_Digest(token.bytes, token.length, hash, NULL, EVP_sha256(), NULL) != 1)
        return false;
    hex_write(hash, sizeof(hash), ret_hash);
    return true;
}

static int64_t wall_ms(const struct http_request *request)
{
    return (int64_t)(request->now * 1000.);
}

/* False: our copy knows no such session that still lasts. */
static bool read_copy(struct database *database, const struct http_request *request,
                      struct http_view hash, struct session *ret_session)
{
    sqlite3_stmt *query = database_begin(database, request->state->session_query);
    sqlite3_bind_text(query, 1, hash.bytes, (int)hash.length, SQLITE_STATIC);
    struct session session = {0};
    if (database_next(query)) {
        session.user = sqlite3_column_int64(query, 0);
        session.expires_ms = sqlite3_column_int64(query, 1);
    }
    bool is_good = database_end(database, query) && session.expires_ms > wall_ms(request);
    if (is_good)
        *ret_session = session;
    return is_good;
}

static void take_session(struct check *check, const struct http_outcome *outcome)
{
    json_error_t error;
    json_t *object = json_loadb(outcome->body, outcome->body_bytes, 0, &error);
    int64_t user = json_integer_value(json_object_get(object, "user"));
    int64_t expires_ms = json_integer_value(json_object_get(object, "expires_ms"));
    bool is_good = user > 0 && expires_ms > check->now_ms;
    check->is_decided = is_good && json_is_true(json_object_get(object, "owner"));
    if (is_good)
        check->user = user;
    json_decref(object);
}

/* What the owner says holds, also that there is no such session. Of the others one that knows it is
 * enough; without any it is left to our own copy. */
static void conclude(struct check *check)
{
    if (!check->is_decided && check->answered < check->asked)
        return;
    if (!check->is_decided && check->user == 0)
        check->user = check->known_user;
    http_task_finish(&check->task);
}

static void on_answer(void *context, const struct http_outcome *outcome)
{
    struct question *question = context;
    struct check *check = question->check;
    question->call = NULL;
    check->answered++;
    if (check->task.is_done)
        return;
    if (outcome->status == 200)
        take_session(check, outcome);
    if (outcome->status == 404) {
        check->is_decided = true;
        check->user = 0;
    }
    conclude(check);
}

static void free_check(struct http_task *task)
{
    struct check *check = (struct check *)task; /* the task is its first member */
    for (size_t i = 0; i < SOURCES; i++) {
        if (check->questions[i].call != NULL)
            http_call_cancel(check->questions[i].call);
    }
    free(check);
}

static void ask(struct check *check, const struct http_request *request, const char *hash,
                const struct feed_source *source)
{
    char url[URL_LENGTH];
    char body[SESSION_HASH_LENGTH + 16];
    if (source->origin == NULL)
        return;
    struct question *question = &check->questions[check->asked];
    snprintf(url, sizeof(url), "%s/internal/sessions/check", source->origin);
    snprintf(body, sizeof(body), "{\"id\":\"%s\"}", hash);
    struct http_call_plan plan = {.url = url,
                                  .post_json = body,
                                  .is_http2 = source->is_http2,
                                  .timeout_ms = check->patience_ms,
                                  .body_limit = ANSWER_LIMIT,
                                  .on_answer = on_answer,
                                  .context = question};
    question->check = check;
    question->call = http_client_start(request->state->client, &plan);
    check->asked += question->call != NULL ? 1 : 0;
}

/* False: nobody could be asked. */
static bool start_check(const struct http_request *request, const char *hash, int64_t known_user,
                        struct http_reply *reply)
{
    const struct follower_sources *sources = &request->state->sources;
    struct check *check = calloc(1, sizeof(*check));
    if (check == NULL)
        return false;
    check->task.free = free_check;
    check->known_user = known_user;
    check->patience_ms = known_user != 0 ? SESSION_ASK_MS : SESSION_ASK_UNKNOWN_MS;
    check->now_ms = wall_ms(request);
    ask(check, request, hash, &(struct feed_source){"legacy", sources->monolith, false});
    ask(check, request, hash, &(struct feed_source){"extracted", sources->users, true});
    if (check->asked == 0) {
        free(check);
        return false;
    }
    http_task_start(reply, &check->task, request->now + (double)(2 * check->patience_ms) / 1000.);
    return true;
}

struct outcome session_outcome(const struct http_reply *reply, const struct outcome *outcome)
{
    const struct check *check = (const struct check *)http_task_find(reply, free_check);
    bool is_unsure = check != NULL && check->user == 0 && !check->is_decided;
    return is_unsure && outcome->kind == OUTCOME_NOT_LOGGED_IN ? outcome_of(OUTCOME_OUT_OF_REACH)
                                                               : *outcome;
}

/* Where the sessions are ours to begin and to end, nobody else knows better. */
static bool are_sessions_ours(struct database *database, const struct http_request *request)
{
    struct ownership ownership;
    const char *aggregate = request->state->feeds->aggregate;
    return strcmp(aggregate, "users") == 0 && ownership_read(database, aggregate, &ownership) &&
           ownership.is_ours;
}

static bool is_settled(struct database *database, const struct http_request *request, bool is_known)
{
    double lag_ms = followers_lag_s(request->state->followers, "sessions") * 1000.;
    return (is_known && lag_ms <= SESSION_LAG_MS) || request->is_last_call ||
           are_sessions_ours(database, request);
}

bool session_find_user(struct database *database, const struct http_request *request,
                       struct http_reply *reply, int64_t *ret_user)
{
    struct http_view token;
    char hash[SESSION_HASH_LENGTH + 1];
    struct session session = {0};
    const struct check *check = (const struct check *)http_task_find(reply, free_check);
    if (check != NULL) {
        *ret_user = check->user != 0 || check->task.is_done ? check->user : check->known_user;
        return true;
    }
    *ret_user = 0;
    if (!session_read_cookie(request->cookies, "sid", &token) || !session_hash(token, hash))
        return true;
    bool is_known =
        read_copy(database, request, (struct http_view){hash, SESSION_HASH_LENGTH}, &session);
    *ret_user = session.user;
    return is_settled(database, request, is_known) ||
           !start_check(request, hash, session.user, reply);
}

/* Who asks may know the session before they know the user. */
static bool add_username(struct database *database, const struct http_request *request,
                         int64_t user, struct body_text *body)
{
    size_t length;
    sqlite3_stmt *row = database_begin(database, request->state->username_query);
    sqlite3_bind_int64(row, 1, user);
    if (database_next(row)) {
        const char *username = database_text(row, 0, &length);
        body_text_add_string(body, ",\"username\":");
        body_text_add_json_string(body, username, length);
    }
    return database_end(database, row);
}

static void reply_session(struct database *database, const struct http_request *request,
                          const struct session *session, struct http_reply *reply)
{
    body_text_add_string(&reply->body, "{\"user\":");
    body_text_add_json_integer(&reply->body, session->user);
    body_text_add_string(&reply->body, ",\"expires_ms\":");
    body_text_add_json_integer(&reply->body, session->expires_ms);
    bool is_whole = add_username(database, request, session->user, &reply->body);
    body_text_add_string(&reply->body, are_sessions_ours(database, request) ? ",\"owner\":true}"
                                                                            : ",\"owner\":false}");
    if (is_whole)
        http_reply_json(reply);
    else
        http_reply_fault(reply);
}

/* Who does not own the sessions cannot deny one: it may just not be here yet. */
static void reply_unknown(struct database *database, const struct http_request *request,
                          struct http_reply *reply)
{
    struct ownership ownership;
    const char *aggregate = request->state->feeds->aggregate;
    if (are_sessions_ours(database, request))
        problem_reply(reply, &(struct problem){.status = 404, .title = "Not Found"});
    else if (ownership_read(database, aggregate, &ownership))
        problem_reply_not_owner(reply, aggregate, &ownership);
    else
        http_reply_fault(reply);
}

void session_answer_check(struct database *database, const struct http_request *request,
                          struct http_reply *reply)
{
    json_error_t error;
    struct session session;
    struct http_view body = request->body;
    json_t *object = json_loadb(body.length > 0 ? body.bytes : "", body.length, 0, &error);
    const json_t *id = json_object_get(object, "id");
    bool is_question = json_string_length(id) == SESSION_HASH_LENGTH;
    if (!is_question) {
        problem_reply(reply, &(struct problem){.status = 422, .title = "Unprocessable Content"});
    } else if (!read_copy(database, request,
                          (struct http_view){json_string_value(id), SESSION_HASH_LENGTH},
                          &session)) {
        reply_unknown(database, request, reply);
    } else {
        reply_session(database, request, &session, reply);
    }
    json_decref(object);
}
