#include "extracted/service_kit/follower.h"

#include <ev.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { URL_LENGTH = 512, CALL_EXTRA_MS = 5000 };

struct follower {
    struct followers *all;
    const struct feed *feed;
    struct feed_source source;
    int64_t cursor;
    bool is_at_end;  /* the last answer held all there was */
    unsigned wait_s; /* of the long poll that runs */
    double asked_at;
    double heard_at;      /* the loop's time of the last good answer */
    double oldest_unread; /* the same clock: no unread event is older; while not at the end */
    unsigned pause_ms;    /* after the next failure */
    bool has_complained;
    ev_timer pause;
    struct http_call *call; /* NULL: pausing */
};

struct followers {
    struct followers_settings settings;
    size_t count;
    struct follower each[];
};

static void ask(struct follower *follower);

static void sleep_ms(struct follower *follower, unsigned ms)
{
    struct ev_loop *loop = follower->all->settings.loop;
    ev_timer_set(&follower->pause, ms / 1000., 0.);
    ev_timer_start(loop, &follower->pause);
}

static void complain(struct follower *follower, const char *fault)
{
    if (follower->has_complained)
        return;
    follower->has_complained = true;
    fprintf(stderr, "%s: feed %s of %s: %s\n", follower->all->settings.service,
            follower->feed->name, follower->source.origin, fault);
}

/* A source that restarts is not worth a line; one that stays away is. */
static void on_failure(struct follower *follower, const char *fault)
{
    double silent_s = ev_now(follower->all->settings.loop) - follower->heard_at;
    follower->is_at_end = false;
    if (silent_s * 1000 >= FOLLOWER_COMPLAINS_MS)
        complain(follower, fault);
    sleep_ms(follower, follower->pause_ms);
    follower->pause_ms *= 2;
    if (follower->pause_ms > FOLLOWER_PAUSE_MAX_MS)
        follower->pause_ms = FOLLOWER_PAUSE_MAX_MS;
}

/* The source's database was replaced by a new one: all of it is read again, which changes nothing
 * that is as it was. */
static void start_over(struct follower *follower)
{
    const struct followers_settings *settings = &follower->all->settings;
    complain(follower, "it ends before what was read of it; reading it again");
    if (feed_cursor_write(settings->database, follower->feed, &follower->source, 0))
        follower->cursor = 0;
}

static bool take_batch(struct follower *follower, const struct http_outcome *outcome)
{
    const struct followers_settings *settings = &follower->all->settings;
    struct feed_batch batch = {.bytes = outcome->body, .length = outcome->body_bytes};
    if (outcome->body_bytes == 0)
        return true;
    if (!feed_apply(settings->database, settings->plan, follower->feed, &follower->source,
                    &batch)) {
        complain(follower, batch.fault);
        return false;
    }
    follower->cursor = batch.cursor;
    if (batch.last_at_ms > 0)
        follower->oldest_unread = (double)batch.last_at_ms / 1000.;
    return true;
}

/* Nothing new came, and sooner than a long poll would say so: the source stops, or knows no
 * long poll, or is not telling what it has. */
static bool came_too_soon(const struct follower *follower, const struct http_outcome *outcome)
{
    bool is_early = follower->heard_at - follower->asked_at < follower->wait_s / 2.;
    return outcome->body_bytes == 0 && (is_early || !follower->is_at_end);
}

static void on_batch(struct follower *follower, const struct http_outcome *outcome)
{
    if (!take_batch(follower, outcome)) {
        on_failure(follower, "refused");
        return;
    }
    follower->heard_at = ev_now(follower->all->settings.loop);
    follower->pause_ms = FOLLOWER_PAUSE_MS;
    follower->is_at_end = follower->cursor >= outcome->feed_last;
    /* With events in it the answer may be older than what was read meanwhile for a reply. */
    if (outcome->body_bytes == 0 && follower->cursor > outcome->feed_last)
        start_over(follower);
    else
        follower->has_complained = false;
    if (came_too_soon(follower, outcome))
        sleep_ms(follower, FOLLOWER_PAUSE_MS);
    else
        ask(follower);
}

static void on_answer(void *context, const struct http_outcome *outcome)
{
    struct follower *follower = context;
    follower->call = NULL;
    if (outcome->status == 200 && outcome->feed_last >= 0)
        on_batch(follower, outcome);
    else if (outcome->status == 404)
        sleep_ms(follower, FOLLOWER_ABSENT_MS);
    else
        on_failure(follower, outcome->fault != NULL ? outcome->fault : "not a feed");
}

static void ask(struct follower *follower)
{
    char url[URL_LENGTH];
    unsigned wait_s = follower->is_at_end ? FOLLOWER_WAIT_S : 0;
    follower->wait_s = wait_s;
    follower->asked_at = ev_now(follower->all->settings.loop);
    snprintf(url, sizeof(url), "%s/internal/feed/%s?after=%" PRId64 "&wait=%us&limit=%d",
             follower->source.origin, follower->feed->name, follower->cursor, wait_s,
             FEED_BATCH_EVENTS);
    struct http_call_plan plan = {.url = url,
                                  .is_http2 = follower->source.is_http2,
                                  .timeout_ms = wait_s * 1000 + CALL_EXTRA_MS,
                                  .body_limit = FEED_BODY_LIMIT,
                                  .on_answer = on_answer,
                                  .context = follower};
    follower->call = http_client_start(follower->all->settings.client, &plan);
    if (follower->call == NULL)
        on_failure(follower, "no memory");
}

static void on_pause_over(struct ev_loop *loop, ev_timer *watcher, int events)
{
    (void)loop;
    (void)events;
    ask(watcher->data);
}

static void add_follower(struct followers *followers, const struct feed *feed,
                         struct feed_source source)
{
    struct follower *follower = &followers->each[followers->count++];
    *follower = (struct follower){.all = followers,
                                  .feed = feed,
                                  .source = source,
                                  .heard_at = ev_now(followers->settings.loop),
                                  .pause_ms = FOLLOWER_PAUSE_MS};
    follower->oldest_unread = follower->heard_at;
    feed_cursor_read(followers->settings.database, feed, &follower->source, &follower->cursor);
    ev_timer_init(&follower->pause, on_pause_over, 0., 0.);
    follower->pause.data = follower;
    ask(follower);
}

/* The service that was taken out of the monolith for an aggregate. */
static const char *origin_of(const struct follower_sources *sources, const char *aggregate)
{
    if (strcmp(aggregate, "users") == 0)
        return sources->users;
    return strcmp(aggregate, "threads") == 0 ? sources->threads : NULL;
}

size_t follower_sources_of(const struct feed_plan *plan, const struct follower_sources *sources,
                           const struct feed *feed, struct feed_source ret_each[FOLLOWER_SOURCES])
{
    size_t count = 0;
    const char *sibling = feed_is_own(plan, feed) ? NULL : origin_of(sources, feed->aggregate);
    if (sources->monolith != NULL)
        ret_each[count++] = (struct feed_source){"legacy", sources->monolith, false};
    if (sibling != NULL)
        ret_each[count++] = (struct feed_source){"extracted", sibling, true};
    return count;
}

struct followers *followers_new(const struct followers_settings *settings)
{
    const struct feed_plan *plan = settings->plan;
    struct followers *followers =
        calloc(1, sizeof(*followers) + FOLLOWER_SOURCES * plan->count * sizeof(followers->each[0]));
    if (followers == NULL)
        return NULL;
    followers->settings = *settings;
    for (size_t i = 0; i < plan->count; i++) {
        struct feed_source each[FOLLOWER_SOURCES];
        size_t count = follower_sources_of(plan, &settings->sources, &plan->feeds[i], each);
        for (size_t j = 0; j < count; j++)
            add_follower(followers, &plan->feeds[i], each[j]);
    }
    return followers;
}

void followers_free(struct followers *followers)
{
    if (followers == NULL)
        return;
    for (size_t i = 0; i < followers->count; i++) {
        ev_timer_stop(followers->settings.loop, &followers->each[i].pause);
        if (followers->each[i].call != NULL)
            http_call_cancel(followers->each[i].call);
    }
    free(followers);
}

static double lag_s(const struct follower *follower)
{
    if (follower->is_at_end)
        return 0.;
    double since =
        follower->heard_at < follower->oldest_unread ? follower->heard_at : follower->oldest_unread;
    double lag = ev_now(follower->all->settings.loop) - since;
    return lag > 0. ? lag : 0.;
}

double followers_lag_s(const struct followers *followers, const char *feed)
{
    double largest = 0.;
    for (size_t i = 0; i < followers->count; i++) {
        double lag = lag_s(&followers->each[i]);
        if (strcmp(followers->each[i].feed->name, feed) == 0 && lag > largest)
            largest = lag;
    }
    return largest;
}

static void add_metric(struct body_text *out, const char *name, const struct follower *follower,
                       const char *value)
{
    char line[256];
    int length = snprintf(line, sizeof(line), "%s{feed=\"%s\",source=\"%s\"} %s\n", name,
                          follower->feed->name, follower->source.side, value);
    body_text_add(out, line, (size_t)length);
}

void followers_add_metrics(const struct followers *followers, struct body_text *out)
{
    char value[48];
    body_text_add_string(out, "# TYPE lag_seconds gauge\n");
    for (size_t i = 0; i < followers->count; i++) {
        snprintf(value, sizeof(value), "%.3f", lag_s(&followers->each[i]));
        add_metric(out, "lag_seconds", &followers->each[i], value);
    }
    body_text_add_string(out, "# TYPE feed_cursor gauge\n");
    for (size_t i = 0; i < followers->count; i++) {
        snprintf(value, sizeof(value), "%" PRId64, followers->each[i].cursor);
        add_metric(out, "feed_cursor", &followers->each[i], value);
    }
}

void followers_add_cursors(const struct followers *followers, const char *aggregate,
                           struct body_text *out)
{
    const char *between = "\"";
    for (size_t i = 0; i < followers->count; i++) {
        const struct follower *follower = &followers->each[i];
        if (strcmp(follower->feed->aggregate, aggregate) != 0)
            continue;
        body_text_add_string(out, between);
        body_text_add_string(out, follower->feed->name);
        body_text_add_string(out, "@");
        body_text_add_string(out, follower->source.side);
        body_text_add_string(out, "\":");
        body_text_add_json_integer(out, follower->cursor);
        between = ",\"";
    }
}
