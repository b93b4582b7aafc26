#include "extracted/service_kit/catch_up.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "extracted/service_kit/http_task.h"
#include "extracted/service_kit/service_state.h"

enum { URL_LENGTH = 512, WAIT_MS = 2 * CATCH_UP_MS };

struct question {
    struct catch_up *catch_up;
    struct feed_source source;
    struct http_call *call; /* NULL: answered, or never asked */
    bool has_reached;
};

struct catch_up {
    struct http_task task;
    const struct service_state *state;
    const struct feed *feed;
    struct question questions[FOLLOWER_SOURCES];
    size_t count;
    size_t answered;
};

/* A source without that feed has nothing to tell. */
static bool take(struct question *question, const struct http_outcome *outcome)
{
    const struct service_state *state = question->catch_up->state;
    struct feed_batch batch = {.bytes = outcome->body, .length = outcome->body_bytes};
    if (outcome->status == 404)
        return true;
    if (outcome->status != 200 || outcome->feed_last < 0)
        return false;
    return outcome->body_bytes == 0 ||
           (feed_apply(state->database, state->feeds, question->catch_up->feed, &question->source,
                       &batch) &&
            batch.cursor >= outcome->feed_last);
}

static void on_answer(void *context, const struct http_outcome *outcome)
{
    struct question *question = context;
    struct catch_up *catch_up = question->catch_up;
    question->call = NULL;
    question->has_reached = take(question, outcome);
    if (++catch_up->answered == catch_up->count)
        http_task_finish(&catch_up->task);
}

static void free_catch_up(struct http_task *task)
{
    struct catch_up *catch_up = (struct catch_up *)task; /* the task is its first member */
    for (size_t i = 0; i < catch_up->count; i++) {
        if (catch_up->questions[i].call != NULL)
            http_call_cancel(catch_up->questions[i].call);
    }
    free(catch_up);
}

static bool ask(struct catch_up *catch_up, struct question *question)
{
    char url[URL_LENGTH];
    int64_t cursor;
    const struct service_state *state = catch_up->state;
    question->catch_up = catch_up;
    if (!feed_cursor_read(state->database, catch_up->feed, &question->source, &cursor))
        return false;
    snprintf(url, sizeof(url), "%s/internal/feed/%s?after=%" PRId64 "&limit=%d",
             question->source.origin, catch_up->feed->name, cursor, FEED_BATCH_EVENTS);
    struct http_call_plan plan = {.url = url,
                                  .is_http2 = question->source.is_http2,
                                  .timeout_ms = CATCH_UP_MS,
                                  .body_limit = FEED_BODY_LIMIT,
                                  .on_answer = on_answer,
                                  .context = question};
    question->call = http_client_start(state->client, &plan);
    return question->call != NULL;
}

/* NULL: nobody could be asked. */
static struct catch_up *begin(const struct service_state *state, const char *name)
{
    const struct feed *feed = feed_find(state->feeds, name, strlen(name));
    struct catch_up *catch_up = feed != NULL ? calloc(1, sizeof(*catch_up)) : NULL;
    struct feed_source sources[FOLLOWER_SOURCES];
    if (catch_up == NULL)
        return NULL;
    *catch_up = (struct catch_up){.task.free = free_catch_up, .state = state, .feed = feed};
    size_t count = follower_sources_of(state->feeds, &state->sources, feed, sources);
    bool all_asked = count > 0;
    for (size_t i = 0; i < count; i++) {
        catch_up->questions[i].source = sources[i];
        catch_up->count++;
        all_asked = ask(catch_up, &catch_up->questions[i]) && all_asked;
    }
    if (all_asked)
        return catch_up;
    free_catch_up(&catch_up->task);
    return NULL;
}

static enum catch_up_state state_of(const struct catch_up *catch_up)
{
    bool has_reached = catch_up->task.is_done;
    for (size_t i = 0; i < catch_up->count; i++)
        has_reached = has_reached && catch_up->questions[i].has_reached;
    return has_reached ? CATCH_UP_REACHED : CATCH_UP_BROKE;
}

enum catch_up_state catch_up_feed(const struct http_request *request, struct http_reply *reply,
                                  const char *feed)
{
    struct catch_up *catch_up = (struct catch_up *)http_task_find(reply, free_catch_up);
    if (catch_up != NULL)
        return state_of(catch_up);
    catch_up = request->is_last_call ? NULL : begin(request->state, feed);
    if (catch_up == NULL)
        return CATCH_UP_BROKE;
    http_task_start(reply, &catch_up->task, request->now + WAIT_MS / 1000.);
    return CATCH_UP_RUNS;
}
