#include "extracted/service_kit/feed_routes.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "extracted/service_kit/feed_rows.h"
#include "extracted/service_kit/outbox.h"
#include "extracted/service_kit/problem.h"
#include "extracted/service_kit/query_string.h"
#include "extracted/service_kit/service_state.h"

enum { OWNER_BODY_LIMIT = 4096 };

static void reply_unknown(struct http_reply *reply)
{
    problem_reply(reply, &(struct problem){.status = 404, .title = "Not Found"});
}

/* The feed that the path names, if it is one of those that this service hands on. */
static const struct feed *feed_of(const struct http_request *request)
{
    const struct feed_plan *plan = request->state->feeds;
    struct http_view name = request->parameters[0];
    const struct feed *feed = feed_find(plan, name.bytes, name.length);
    return feed != NULL && feed_is_own(plan, feed) ? feed : NULL;
}

static bool read_query(struct http_view query, struct outbox_page *page, int64_t *wait_ms)
{
    return query_number(query, "after", 0, &page->after) &&
           query_number(query, "limit", FEED_LIMIT_EVENTS, &page->limit) &&
           query_duration_ms(query, "wait", wait_ms) && page->limit >= 1 &&
           page->limit <= FEED_LIMIT_EVENTS && *wait_ms <= FEED_WAIT_LONGEST_S * 1000;
}

static void reply_events(const struct feed *feed, struct database *database,
                         const struct outbox_page *page, struct http_reply *reply)
{
    int64_t last = 0;
    char value[24];
    if (!outbox_read(database, feed, *page, &reply->body) || !outbox_last(database, feed, &last)) {
        http_reply_fault(reply);
        return;
    }
    reply->status = 200;
    reply->content_type = "application/x-ndjson";
    snprintf(value, sizeof(value), "%" PRId64, last);
    http_reply_add_field(reply, "x-feed-last", value);
}

static void answer_feed(struct database *database, const struct http_request *request,
                        struct http_reply *reply)
{
    const struct feed *feed = feed_of(request);
    struct outbox_page page;
    int64_t wait_ms = 0;
    int64_t last = 0;
    if (feed == NULL) {
        reply_unknown(reply);
        return;
    }
    if (!read_query(request->query, &page, &wait_ms)) {
        problem_reply(reply, &(struct problem){.status = 400,
                                               .title = "Bad Request",
                                               .detail = "after, wait or limit is out of range."});
        return;
    }
    double until = request->arrived + (double)wait_ms / 1000.;
    bool may_wait = !request->is_last_call && request->now < until;
    if (may_wait && outbox_last(database, feed, &last) && last <= page.after)
        http_reply_wait(reply, until);
    else
        reply_events(feed, database, &page, reply);
}

static bool is_own_aggregate(const struct http_request *request)
{
    return http_view_equals(request->parameters[0], request->state->feeds->aggregate);
}

static int64_t last_event(const struct http_request *request, struct database *database)
{
    const struct feed_plan *plan = request->state->feeds;
    int64_t latest = 0;
    for (size_t i = 0; i < plan->count; i++) {
        int64_t last = 0;
        if (feed_is_own(plan, &plan->feeds[i]) && outbox_last(database, &plan->feeds[i], &last) &&
            last > latest)
            latest = last;
    }
    return latest;
}

/* How far each own feed goes: what a new owner has to have read. */
static void add_feeds_last(const struct http_request *request, struct database *database,
                           struct body_text *body)
{
    const struct feed_plan *plan = request->state->feeds;
    const char *separator = "";
    for (size_t i = 0; i < plan->count; i++) {
        int64_t last = 0;
        if (!feed_is_own(plan, &plan->feeds[i]) || !outbox_last(database, &plan->feeds[i], &last))
            continue;
        body_text_add_string(body, separator);
        body_text_add_json_string(body, plan->feeds[i].name, strlen(plan->feeds[i].name));
        body_text_add_string(body, ":");
        body_text_add_json_integer(body, last);
        separator = ",";
    }
}

static void reply_owner(const struct http_request *request, struct database *database,
                        const struct ownership *ownership, struct http_reply *reply)
{
    const struct service_state *state = request->state;
    struct body_text *body = &reply->body;
    body_text_add_string(body, "{");
    ownership_add_members(body, state->feeds->aggregate, ownership);
    body_text_add_string(body, ",\"feeds_last\":{");
    add_feeds_last(request, database, body);
    body_text_add_string(body, "},\"outbox_last\":");
    body_text_add_json_integer(body, last_event(request, database));
    body_text_add_string(body, ",\"cursors\":{");
    followers_add_cursors(state->followers, state->feeds->aggregate, body);
    body_text_add_string(body, "}}");
    http_reply_json(reply);
}

static void answer_owner(struct database *database, const struct http_request *request,
                         struct http_reply *reply)
{
    struct ownership ownership;
    if (!is_own_aggregate(request))
        reply_unknown(reply);
    else if (!ownership_read(database, request->state->feeds->aggregate, &ownership))
        http_reply_fault(reply);
    else
        reply_owner(request, database, &ownership, reply);
}

static bool read_wanted(struct http_view body, struct ownership *ret_wanted)
{
    json_error_t error;
    json_t *object =
        json_loadb(body.length > 0 ? body.bytes : "", body.length, JSON_REJECT_DUPLICATES, &error);
    const char *owner = json_string_value(json_object_get(object, "owner"));
    const json_t *epoch = json_object_get(object, "epoch");
    bool is_read = owner != NULL && ownership_parse(owner, &ret_wanted->is_ours) &&
                   json_is_integer(epoch) && json_integer_value(epoch) > 0;
    if (is_read)
        ret_wanted->epoch = json_integer_value(epoch);
    json_decref(object);
    return is_read;
}

/* Read and written in one transaction, which is on disk before the answer. */
static bool change(struct database *database, const char *aggregate, const struct ownership *wanted,
                   struct ownership *ret_current, enum ownership_change *ret_change)
{
    if (!database_transaction_begin(database))
        return false;
    bool is_good = ownership_read(database, aggregate, ret_current);
    *ret_change = is_good ? ownership_compare(ret_current, wanted) : OWNERSHIP_LATE;
    if (is_good && *ret_change == OWNERSHIP_CHANGED)
        is_good = ownership_write(database, aggregate, wanted);
    return database_transaction_end(database, is_good);
}

static void answer_change(struct database *database, const struct http_request *request,
                          struct http_reply *reply)
{
    const char *aggregate = request->state->feeds->aggregate;
    struct ownership wanted;
    struct ownership current;
    enum ownership_change outcome;
    if (!is_own_aggregate(request))
        reply_unknown(reply);
    else if (!read_wanted(request->body, &wanted))
        problem_reply(reply, &(struct problem){.status = 422,
                                               .title = "Unprocessable Content",
                                               .detail = "Wanted: owner (legacy or extracted) "
                                                         "and epoch (a number above 0)."});
    else if (!change(database, aggregate, &wanted, &current, &outcome))
        http_reply_fault(reply);
    else if (outcome == OWNERSHIP_LATE)
        problem_reply_not_owner(reply, aggregate, &current);
    else
        reply_owner(request, database, &wanted, reply);
}

static void answer_metrics(struct database *database, const struct http_request *request,
                           struct http_reply *reply)
{
    (void)database;
    reply->status = 200;
    reply->content_type = "text/plain; version=0.0.4; charset=utf-8";
    followers_add_metrics(request->state->followers, &reply->body);
}

const struct http_route feed_routes[FEED_ROUTES] = {
    {"GET", "/internal/feed/{}", answer_feed, 0},
    {"GET", "/internal/rows/{}", feed_rows_answer, 0},
    {"GET", "/internal/digest/{}", feed_rows_answer_digest, 0},
    {"GET", "/internal/owner/{}", answer_owner, 0},
    {"POST", "/internal/owner/{}", answer_change, OWNER_BODY_LIMIT},
    {"GET", "/metrics", answer_metrics, 0},
};
