#include "extracted/service_kit/backfill.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "extracted/service_kit/blocking_get.h"

enum { URL_LENGTH = 512 };

int64_t backfill_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bool collect(void *context, const char *bytes, size_t length)
{
    struct body_text *body = context;
    body_text_add(body, bytes, length);
    return !body->overflowed;
}

enum backfill_outcome backfill_get(struct backfill *backfill, const char *url,
                                   struct body_text *body, int64_t *ret_feed_last)
{
    struct blocking_get get = {.url = url,
                               .timeout_ms = backfill->deadline_ms - backfill_now_ms(),
                               .stop = backfill->stop,
                               .take = collect,
                               .context = body};
    bool is_answered = blocking_get_run(&get);
    if (is_answered && (ret_feed_last == NULL || get.feed_last >= 0)) {
        if (ret_feed_last != NULL)
            *ret_feed_last = get.feed_last;
        return BACKFILL_DONE;
    }
    snprintf(backfill->fault, sizeof(backfill->fault), "%s: %s", url,
             get.fault != NULL ? get.fault : "not a feed");
    return get.status == 404 ? BACKFILL_ABSENT : BACKFILL_AGAIN;
}

static enum backfill_outcome apply(struct backfill *backfill, const struct feed *feed,
                                   struct feed_batch *batch)
{
    if (feed_apply(backfill->database, backfill->plan, feed, &backfill->source, batch))
        return BACKFILL_DONE;
    snprintf(backfill->fault, sizeof(backfill->fault), "feed %s, cursor %" PRId64 ", line %zu: %s",
             feed->name, batch->cursor, batch->line, batch->fault);
    return BACKFILL_HOPELESS;
}

/* One batch after *cursor, which moves on; *ret_is_over says that it was the last. */
static enum backfill_outcome read_batch(struct backfill *backfill, const struct feed *feed,
                                        int64_t *cursor, bool *ret_is_over)
{
    char url[URL_LENGTH];
    struct body_text body;
    body_text_init(&body, FEED_BODY_LIMIT);
    snprintf(url, sizeof(url), "%s/internal/feed/%s?after=%" PRId64 "&limit=%d",
             backfill->source.origin, feed->name, *cursor, FEED_BATCH_EVENTS);
    int64_t last = 0;
    enum backfill_outcome outcome = backfill_get(backfill, url, &body, &last);
    if (outcome == BACKFILL_DONE) {
        struct feed_batch batch = {.bytes = body.bytes, .length = body.length, .cursor = *cursor};
        outcome = body.length > 0 ? apply(backfill, feed, &batch) : BACKFILL_DONE;
        *cursor = batch.cursor;
        *ret_is_over = body.length == 0 || batch.cursor >= last;
    }
    body_text_done(&body);
    return outcome;
}

static enum backfill_outcome read_feed(struct backfill *backfill, const struct feed *feed)
{
    int64_t cursor = 0;
    bool is_over = false;
    enum backfill_outcome outcome = BACKFILL_DONE;
    if (!feed_cursor_read(backfill->database, feed, &backfill->source, &cursor))
        return BACKFILL_HOPELESS;
    while (outcome == BACKFILL_DONE && !is_over)
        outcome = read_batch(backfill, feed, &cursor, &is_over);
    return outcome;
}

enum backfill_outcome backfill_run(struct backfill *backfill)
{
    enum backfill_outcome outcome = BACKFILL_DONE;
    for (size_t i = 0; i < backfill->plan->count && outcome == BACKFILL_DONE; i++)
        outcome = read_feed(backfill, &backfill->plan->feeds[i]);
    return outcome;
}
