#include "monolith_stub/metrics.h"

#include <stdio.h>

#include "monolith_stub/feeds/event_apply.h"
#include "monolith_stub/feeds/follower.h"
#include "monolith_stub/feeds/ownership.h"

static void write_sample(struct text *out, const char *metric, enum feed feed, const char *value)
{
    text_append_string(out, metric);
    text_append_string(out, "{feed=\"");
    text_append_string(out, feed_name(feed));
    text_append_string(out, "\",source=\"" EVENT_SOURCE "\"} ");
    text_append_string(out, value);
    text_append_string(out, "\n");
}

static void write_feeds(struct follower *follower, struct text *out)
{
    struct follower_state state;
    char value[32];
    text_append_string(out, "# HELP lag_seconds How far a followed feed is behind.\n"
                            "# TYPE lag_seconds gauge\n");
    for (int i = 0; i < FEED_COUNT; i++) {
        if (follower == NULL || !follower_state_read(follower, (enum feed)i, &state))
            continue;
        snprintf(value, sizeof(value), "%.3f", (double)state.lag_ms / 1000);
        write_sample(out, "lag_seconds", (enum feed)i, value);
    }
    text_append_string(out, "# HELP feed_cursor The last event applied.\n"
                            "# TYPE feed_cursor gauge\n");
    for (int i = 0; i < FEED_COUNT; i++) {
        if (follower == NULL || !follower_state_read(follower, (enum feed)i, &state))
            continue;
        snprintf(value, sizeof(value), "%lld", (long long)state.cursor);
        write_sample(out, "feed_cursor", (enum feed)i, value);
    }
}

static bool write_owners(struct forum *forum, struct text *out)
{
    bool complete = true;
    struct ownership ownership;
    text_append_string(out, "# HELP owner_epoch Who takes the writes, and since which epoch.\n"
                            "# TYPE owner_epoch gauge\n");
    struct store *store = store_pool_take(forum->pool);
    for (int i = 0; i < AGGREGATE_COUNT; i++) {
        complete = complete && ownership_read(store, (enum aggregate)i, &ownership);
        if (!complete)
            break;
        text_append_string(out, "owner_epoch{aggregate=\"");
        text_append_string(out, aggregate_name((enum aggregate)i));
        text_append_string(out, "\",owner=\"");
        text_append_string(out, ownership_owner(&ownership));
        text_append_string(out, "\"} ");
        text_append_integer(out, ownership.epoch);
        text_append_string(out, "\n");
    }
    store_pool_give_back(forum->pool, store);
    return complete;
}

void metrics_answer(struct forum *forum, const struct request *request, struct reply *reply)
{
    (void)request;
    write_feeds(forum->follower, &reply->body);
    if (!write_owners(forum, &reply->body)) {
        reply_fault(reply);
        return;
    }
    reply->status = 200;
    reply->content_type = "text/plain; version=0.0.4; charset=utf-8";
}
