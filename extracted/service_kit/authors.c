#include "extracted/service_kit/authors.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "extracted/service_kit/http_task.h"
#include "extracted/service_kit/service_state.h"

enum { SOURCES = 2, URL_LENGTH = 2560, ANSWER_LIMIT = 1024 * 1024, WAIT_MS = 2 * AUTHORS_ASK_MS };

struct question {
    struct lookup *lookup;
    struct http_call *call; /* NULL: answered, or never asked */
    json_t *answer;
};

struct lookup {
    struct http_task task;
    struct question questions[SOURCES];
    unsigned asked;
    unsigned answered;
};

void authors_add_unknown(struct json_ids *unknown, int64_t id)
{
    for (size_t i = 0; i < unknown->count; i++) {
        if (unknown->each[i] == id)
            return;
    }
    if (unknown->count < JSON_IDS)
        unknown->each[unknown->count++] = id;
}

bool authors_collect(struct database *database, sqlite3_stmt *rows, int id_column, int name_column,
                     struct json_ids *unknown)
{
    while (database_next(rows)) {
        if (sqlite3_column_type(rows, name_column) == SQLITE_NULL)
            authors_add_unknown(unknown, sqlite3_column_int64(rows, id_column));
    }
    return database_end(database, rows);
}

static void on_answer(void *context, const struct http_outcome *outcome)
{
    struct question *question = context;
    struct lookup *lookup = question->lookup;
    json_error_t error;
    question->call = NULL;
    if (outcome->status == 200)
        question->answer = json_loadb(outcome->body, outcome->body_bytes, 0, &error);
    if (++lookup->answered == lookup->asked)
        http_task_finish(&lookup->task);
}

static void free_lookup(struct http_task *task)
{
    struct lookup *lookup = (struct lookup *)task; /* the task is its first member */
    for (size_t i = 0; i < SOURCES; i++) {
        if (lookup->questions[i].call != NULL)
            http_call_cancel(lookup->questions[i].call);
        json_decref(lookup->questions[i].answer);
    }
    free(lookup);
}

static void write_url(char *url, const char *origin, const struct json_ids *ids)
{
    int length = snprintf(url, URL_LENGTH, "%s/api/2.0/users?ids=", origin);
    for (size_t i = 0; i < ids->count && length > 0 && length < URL_LENGTH; i++)
        length += snprintf(url + length, URL_LENGTH - (size_t)length, "%s%" PRId64,
                           i > 0 ? "," : "", ids->each[i]);
}

static void ask(struct lookup *lookup, const struct http_request *request,
                const struct json_ids *ids, const struct feed_source *source)
{
    char url[URL_LENGTH];
    if (source->origin == NULL)
        return;
    struct question *question = &lookup->questions[lookup->asked];
    write_url(url, source->origin, ids);
    struct http_call_plan plan = {.url = url,
                                  .is_http2 = source->is_http2,
                                  .timeout_ms = AUTHORS_ASK_MS,
                                  .body_limit = ANSWER_LIMIT,
                                  .on_answer = on_answer,
                                  .context = question};
    question->lookup = lookup;
    question->call = http_client_start(request->state->client, &plan);
    lookup->asked += question->call != NULL ? 1 : 0;
}

bool authors_ask(const struct http_request *request, struct http_reply *reply,
                 const struct json_ids *unknown)
{
    const struct follower_sources *sources = &request->state->sources;
    if (unknown->count == 0 || request->is_last_call || http_task_find(reply, free_lookup) != NULL)
        return true;
    struct lookup *lookup = calloc(1, sizeof(*lookup));
    if (lookup == NULL)
        return true;
    lookup->task.free = free_lookup;
    ask(lookup, request, unknown, &(struct feed_source){"legacy", sources->monolith, false});
    ask(lookup, request, unknown, &(struct feed_source){"extracted", sources->users, true});
    if (lookup->asked == 0) {
        free(lookup);
        return true;
    }
    http_task_start(reply, &lookup->task, request->now + WAIT_MS / 1000.);
    return false;
}

static const json_t *find_name(const json_t *answer, int64_t id)
{
    const json_t *items = json_object_get(answer, "items");
    for (size_t i = 0; i < json_array_size(items); i++) {
        const json_t *item = json_array_get(items, i);
        const json_t *name = json_object_get(item, "username");
        if (json_integer_value(json_object_get(item, "id")) == id && json_is_string(name))
            return name;
    }
    return NULL;
}

struct http_view authors_asked_name(const struct http_reply *reply, int64_t id)
{
    const struct lookup *lookup = (const struct lookup *)http_task_find(reply, free_lookup);
    const json_t *name = NULL;
    for (size_t i = 0; lookup != NULL && name == NULL && i < SOURCES; i++)
        name = find_name(lookup->questions[i].answer, id);
    if (name == NULL)
        return (struct http_view){"", 0};
    return (struct http_view){json_string_value(name), json_string_length(name)};
}

bool authors_add(struct http_reply *reply, sqlite3_stmt *row, int id_column, int name_column)
{
    struct body_text *body = &reply->body;
    struct http_view name;
    if (sqlite3_column_type(row, name_column) != SQLITE_NULL)
        name.bytes = database_text(row, name_column, &name.length);
    else
        name = authors_asked_name(reply, sqlite3_column_int64(row, id_column));
    if (name.length == 0) {
        body_text_add_string(body, ",\"author\":null");
        return false;
    }
    json_reply_integer(body, ",\"author\":{\"id\":", row, id_column);
    body_text_add_string(body, ",\"username\":");
    body_text_add_json_string(body, name.bytes, name.length);
    body_text_add_string(body, "}");
    return true;
}
