#include "monolith_stub/feeds/feed_reply.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "monolith_stub/api2/problem.h"
#include "monolith_stub/clock.h"
#include "monolith_stub/feeds/outbox.h"
#include "monolith_stub/input/form.h"
#include "monolith_stub/input/paging.h"
#include "monolith_stub/json_write.h"
#include "monolith_stub/waiting_room.h"

struct feed_query {
    enum feed feed;
    int64_t after;
    int64_t wait_ms;
    int64_t limit;
};

/* "20s", "500ms" or "0". */
static bool read_wait(struct text_view text, int64_t *ret_ms)
{
    int64_t unit = 1;
    if (text.length > 2 && memcmp(text.bytes + text.length - 2, "ms", 2) == 0) {
        text.length -= 2;
    } else if (text.length > 1 && text.bytes[text.length - 1] == 's') {
        text.length--;
        unit = 1000;
    } else if (text.length != 1 || text.bytes[0] != '0') {
        return false;
    }
    int64_t number;
    if (!number_read(text, &number) || number > FEED_WAIT_LIMIT_MS / unit)
        return false;
    *ret_ms = number * unit;
    return true;
}

/* The name of what is wrong, or NULL. */
static const char *read_fields(const struct form *form, struct feed_query *query)
{
    struct text_view value;
    if (form_find(form, "after", &value) && !number_read(value, &query->after))
        return "after";
    if (form_find(form, "wait", &value) && !read_wait(value, &query->wait_ms))
        return "wait";
    if (form_find(form, "limit", &value) && !id_read(value, &query->limit))
        return "limit";
    if (query->limit > FEED_EVENT_LIMIT)
        query->limit = FEED_EVENT_LIMIT;
    return NULL;
}

static bool read_query(const struct request *request, struct feed_query *query, struct reply *reply)
{
    struct text_view name = request->parameters[0];
    if (!feed_find(name.bytes, name.length, &query->feed)) {
        problem_answer_status(reply, 404);
        return false;
    }
    struct form form;
    if (!form_read(request->query, &form)) {
        problem_answer_status(reply, 400);
        return false;
    }
    const char *wrong = read_fields(&form, query);
    form_done(&form);
    if (wrong == NULL)
        return true;
    struct outcome fault = outcome_field_fault(wrong, "It is no number that is allowed here.");
    problem_answer_outcome(reply, &fault);
    return false;
}

/* *last is moved on to the last event that is sent. */
static bool write_events(struct store *store, const struct feed_query *query, struct text *out,
                         int64_t *last)
{
    const char *name = feed_name(query->feed);
    sqlite3_stmt *row = store_begin(store, QUERY_OUTBOX_AFTER);
    store_bind_text(row, 1, name, strlen(name));
    sqlite3_bind_int64(row, 2, query->after);
    sqlite3_bind_int64(row, 3, query->limit);
    while (out->length < FEED_BODY_BYTES && store_next(row)) {
        size_t length = 0;
        const char *body = store_text(row, 3, &length);
        json_write_integer(out, "{\"seq\":", sqlite3_column_int64(row, 0));
        json_write_string(out, ",\"feed\":", name);
        json_write_integer(out, ",\"epoch\":", sqlite3_column_int64(row, 1));
        json_write_integer(out, ",\"at_ms\":", sqlite3_column_int64(row, 2));
        text_append_string(out, ",");
        text_append(out, body, length);
        text_append_string(out, "}\n");
        if (*last < sqlite3_column_int64(row, 0))
            *last = sqlite3_column_int64(row, 0);
    }
    return store_end(row);
}

/* The last seq is read first: an event that comes in between is sent, and not claimed missing. */
static bool read_events(struct forum *forum, const struct feed_query *query, struct reply *reply)
{
    int64_t last = 0;
    struct store *store = store_pool_take(forum->pool);
    bool complete =
        outbox_last(store, query->feed, &last) && write_events(store, query, &reply->body, &last);
    store_pool_give_back(forum->pool, store);
    char number[24];
    snprintf(number, sizeof(number), "%" PRId64, last);
    reply_field(reply, "X-Feed-Last", number);
    return complete;
}

void feed_answer(struct forum *forum, const struct request *request, struct reply *reply)
{
    struct feed_query query = {.limit = FEED_EVENT_LIMIT};
    if (!read_query(request, &query, reply))
        return;
    uint64_t seen = waiting_room_count(forum->room);
    if (!read_events(forum, &query, reply)) {
        reply_fault(reply);
        return;
    }
    reply->status = 200;
    reply->content_type = "application/x-ndjson";
    int64_t deadline_ms = request->began_ms + query.wait_ms;
    if (reply->body.length == 0 && deadline_ms > clock_steady_ms() &&
        !waiting_room_is_closed(forum->room))
        reply->wait = (struct reply_wait){1u << query.feed, deadline_ms, seen};
}
