#include "monolith_stub/feeds/follower.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "monolith_stub/clock.h"
#include "monolith_stub/feeds/event_apply.h"
#include "monolith_stub/feeds/ownership.h"
#include "monolith_stub/feeds/remote.h"
#include "monolith_stub/store_pool.h"

enum {
    URL_BYTES = 512,
    BODY_LIMIT = 16 * 1024 * 1024,
    WAIT_MS = 20000,
    SESSIONS_WAIT_MS = 500, /* so that a silent service is noticed soon */
    SPARE_MS = 1500,        /* how much longer than the wait an answer may take */
    RETRY_MS = 200,
    COMPLAIN_MS = 10000, /* a service that starts, too, is not worth a line */
    IDLE_MS = 1000
};

/* One feed that is followed. The thread's, but for what the lock protects. */
struct link {
    enum feed feed;
    const char *origin; /* NULL: not followed */
    CURL *remote;       /* the poll under way */
    struct remote_answer answer;
    int64_t asked_ms;
    int64_t retry_ms;    /* when to ask again, after a fault */
    int64_t complain_ms; /* from when on a silent service is worth a line */
    bool complained;
    struct follower_state state; /* under the lock; only the cursor is used */
    bool is_current;             /* under the lock: the last poll reached the end */
    int64_t current_ms;          /* under the lock: when it last did */
};

struct follower {
    struct forum *forum;
    pthread_t thread;
    bool has_thread;
    atomic_bool stops;
    CURLM *polls;
    pthread_mutex_t lock;
    struct link links[FEED_COUNT];
};

static void mark(struct follower *follower, struct link *link, bool is_current, int64_t cursor)
{
    pthread_mutex_lock(&follower->lock);
    link->is_current = is_current;
    link->state.cursor = cursor;
    if (is_current)
        link->current_ms = clock_steady_ms();
    pthread_mutex_unlock(&follower->lock);
}

static int wait_ms_of(const struct link *link)
{
    return link->feed == FEED_SESSIONS ? SESSIONS_WAIT_MS : WAIT_MS;
}

static void start_poll(struct follower *follower, struct link *link)
{
    char url[URL_BYTES];
    int wait_ms = wait_ms_of(link);
    link->asked_ms = clock_steady_ms();
    snprintf(url, sizeof(url), "%s/internal/feed/%s?after=%" PRId64 "&wait=%dms&limit=500",
             link->origin, feed_name(link->feed), link->state.cursor, wait_ms);
    text_clear(&link->answer.body);
    link->remote = remote_new(url, (long)wait_ms + SPARE_MS, &link->answer);
    if (link->remote == NULL)
        return;
    curl_easy_setopt(link->remote, CURLOPT_PRIVATE, link);
    curl_multi_add_handle(follower->polls, link->remote);
}

static void end_poll(struct follower *follower, struct link *link)
{
    if (link->remote == NULL)
        return;
    curl_multi_remove_handle(follower->polls, link->remote);
    curl_easy_cleanup(link->remote);
    link->remote = NULL;
}

static bool apply(struct follower *follower, struct link *link, int64_t *cursor)
{
    const struct text *body = &link->answer.body;
    if (body->length == 0)
        return true;
    return event_apply(follower->forum->writer, link->feed, body, cursor);
}

static void on_fault(struct follower *follower, struct link *link, const char *why)
{
    bool complains = !link->complained && clock_steady_ms() >= link->complain_ms;
    if (complains)
        fprintf(stderr, "monolith_stub: cannot follow %s at %s: %s\n", feed_name(link->feed),
                link->origin, why);
    link->complained |= complains;
    link->retry_ms = clock_steady_ms() + RETRY_MS;
    mark(follower, link, false, link->state.cursor);
}

/* Nothing new, and sooner than a long poll would say so: a service that stops, or knows none. */
static bool came_too_soon(const struct link *link)
{
    return link->answer.body.length == 0 &&
           clock_steady_ms() - link->asked_ms < wait_ms_of(link) / 2;
}

static void on_poll_done(struct follower *follower, struct link *link, CURLcode code)
{
    long status = 0;
    curl_easy_getinfo(link->remote, CURLINFO_RESPONSE_CODE, &status);
    end_poll(follower, link);
    int64_t cursor = link->state.cursor;
    if (code != CURLE_OK) {
        on_fault(follower, link, curl_easy_strerror(code));
    } else if (status != 200) {
        on_fault(follower, link, "its answer is not 200");
    } else if (!apply(follower, link, &cursor)) {
        link->complain_ms = 0;
        on_fault(follower, link, "an event cannot be applied");
    } else {
        link->complained = false;
        link->complain_ms = clock_steady_ms() + COMPLAIN_MS;
        link->retry_ms = came_too_soon(link) ? clock_steady_ms() + RETRY_MS : 0;
        mark(follower, link, cursor >= link->answer.feed_last, cursor);
    }
}

static void start_due_polls(struct follower *follower)
{
    for (int i = 0; i < FEED_COUNT; i++) {
        struct link *link = &follower->links[i];
        if (link->origin != NULL && link->remote == NULL && link->retry_ms <= clock_steady_ms())
            start_poll(follower, link);
    }
}

/* Whether there was one. */
static bool finish_polls(struct follower *follower)
{
    CURLMsg *message;
    int left = 0;
    bool finished = false;
    while ((message = curl_multi_info_read(follower->polls, &left)) != NULL) {
        struct link *link = NULL;
        CURLcode code = message->data.result;
        if (message->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&link);
        on_poll_done(follower, link, code);
        finished = true;
    }
    return finished;
}

/* Until something happens, or it is time to ask again. */
static void wait_for_polls(struct follower *follower)
{
    bool is_retrying = false;
    for (int i = 0; i < FEED_COUNT; i++)
        is_retrying |= follower->links[i].retry_ms > 0;
    curl_multi_poll(follower->polls, NULL, 0, is_retrying ? RETRY_MS : IDLE_MS, NULL);
}

static void *run_follower(void *context)
{
    struct follower *follower = context;
    while (!atomic_load(&follower->stops)) {
        int running = 0;
        start_due_polls(follower);
        curl_multi_perform(follower->polls, &running);
        if (!finish_polls(follower))
            wait_for_polls(follower);
    }
    for (int i = 0; i < FEED_COUNT; i++)
        end_poll(follower, &follower->links[i]);
    return NULL;
}

static bool read_cursors(struct follower *follower, const char *const urls[AGGREGATE_COUNT])
{
    bool complete = true;
    struct store *store = store_pool_take(follower->forum->pool);
    for (int i = 0; i < FEED_COUNT; i++) {
        struct link *link = &follower->links[i];
        link->feed = (enum feed)i;
        link->origin = urls[feed_aggregate(link->feed)];
        link->complain_ms = clock_steady_ms() + COMPLAIN_MS;
        text_init(&link->answer.body, BODY_LIMIT);
        complete = complete && event_cursor_read(store, link->feed, &link->state.cursor);
    }
    store_pool_give_back(follower->forum->pool, store);
    return complete;
}

struct follower *follower_new(struct forum *forum, const char *const urls[AGGREGATE_COUNT])
{
    struct follower *follower = calloc(1, sizeof(*follower));
    if (follower == NULL)
        return NULL;
    follower->forum = forum;
    pthread_mutex_init(&follower->lock, NULL);
    follower->polls = curl_multi_init();
    bool is_ready = read_cursors(follower, urls) && follower->polls != NULL;
    follower->has_thread =
        is_ready && pthread_create(&follower->thread, NULL, run_follower, follower) == 0;
    if (follower->has_thread)
        return follower;
    fputs("monolith_stub: cannot start following\n", stderr);
    follower_free(follower);
    return NULL;
}

void follower_free(struct follower *follower)
{
    if (follower == NULL)
        return;
    atomic_store(&follower->stops, true);
    if (follower->has_thread) {
        curl_multi_wakeup(follower->polls);
        pthread_join(follower->thread, NULL);
    }
    for (int i = 0; i < FEED_COUNT; i++)
        text_done(&follower->links[i].answer.body);
    curl_multi_cleanup(follower->polls);
    pthread_mutex_destroy(&follower->lock);
    free(follower);
}

const char *follower_origin(const struct follower *follower, enum feed feed)
{
    return follower->links[feed].origin;
}

bool follower_state_read(struct follower *follower, enum feed feed,
                         struct follower_state *ret_state)
{
    struct link *link = &follower->links[feed];
    if (link->origin == NULL)
        return false;
    pthread_mutex_lock(&follower->lock);
    *ret_state = link->state;
    ret_state->quiet_ms = clock_steady_ms() - link->current_ms;
    ret_state->lag_ms = link->is_current ? 0 : ret_state->quiet_ms;
    pthread_mutex_unlock(&follower->lock);
    return true;
}

bool follower_sessions_are_settled(struct follower *follower, struct store *store, bool is_known)
{
    struct follower_state state;
    struct ownership ownership;
    if (!follower_state_read(follower, FEED_SESSIONS, &state))
        return true;
    if (ownership_read(store, AGGREGATE_USERS, &ownership) && ownership.is_ours)
        return true; /* sessions begin and end here */
    return is_known && state.quiet_ms <= FOLLOWER_FRESH_MS;
}
