#include "monolith_stub/feeds/owner_reply.h"

#include <string.h>

#include "monolith_stub/api2/problem.h"
#include "monolith_stub/feeds/outbox.h"
#include "monolith_stub/feeds/ownership.h"
#include "monolith_stub/input/json_body.h"
#include "monolith_stub/json_write.h"
#include "monolith_stub/writer.h"

/* outbox_last is the aggregate's last event, feeds_last that of each of its feeds: a consumer's
 * cursor of a feed can only come as far as the latter. */
static bool write_outbox_last(struct store *store, enum aggregate aggregate, struct text *out)
{
    bool complete = true;
    int64_t last = 0;
    const char *separator = ",\"feeds_last\":{";
    for (int i = 0; complete && i < FEED_COUNT; i++) {
        int64_t feed_last = 0;
        if (feed_aggregate((enum feed)i) != aggregate)
            continue;
        complete = outbox_last(store, (enum feed)i, &feed_last);
        last = feed_last > last ? feed_last : last;
        text_append_string(out, separator);
        json_write_string(out, "", feed_name((enum feed)i));
        json_write_integer(out, ":", feed_last);
        separator = ",";
    }
    json_write_integer(out, "},\"outbox_last\":", last);
    return complete;
}

static void write_cursor(struct text *out, sqlite3_stmt *row, const char *separator)
{
    size_t feed_length = 0;
    size_t source_length = 0;
    const char *feed = store_text(row, 0, &feed_length);
    const char *source = store_text(row, 1, &source_length);
    text_append_string(out, separator);
    text_append(out, feed, feed_length);
    text_append_string(out, "@");
    text_append(out, source, source_length);
    json_write_integer(out, "\":", sqlite3_column_int64(row, 2));
}

static bool write_cursors(struct store *store, enum aggregate aggregate, struct text *out)
{
    const char *separator = "\"";
    text_append_string(out, ",\"cursors\":{");
    sqlite3_stmt *row = store_begin(store, QUERY_CURSORS);
    while (store_next(row)) {
        size_t length = 0;
        const char *name = store_text(row, 0, &length);
        enum feed feed;
        if (!feed_find(name, length, &feed) || feed_aggregate(feed) != aggregate)
            continue;
        write_cursor(out, row, separator);
        separator = ",\"";
    }
    text_append_string(out, "}}");
    return store_end(row);
}

static bool write_state(struct store *store, const struct ownership *ownership, struct text *out)
{
    text_append_string(out, "{");
    ownership_write_members(out, ownership);
    return write_outbox_last(store, ownership->aggregate, out) &&
           write_cursors(store, ownership->aggregate, out);
}

static bool find_aggregate(const struct request *request, struct reply *reply,
                           enum aggregate *ret_aggregate)
{
    struct text_view name = request->parameters[0];
    if (aggregate_find(name.bytes, name.length, ret_aggregate))
        return true;
    problem_answer_status(reply, 404);
    return false;
}

static void settle(struct reply *reply, bool complete)
{
    if (complete)
        reply_json(reply);
    else
        reply_fault(reply);
}

void owner_answer(struct forum *forum, const struct request *request, struct reply *reply)
{
    enum aggregate aggregate;
    if (!find_aggregate(request, reply, &aggregate))
        return;
    struct ownership ownership;
    struct store *store = store_pool_take(forum->pool);
    bool complete = ownership_read(store, aggregate, &ownership) &&
                    write_state(store, &ownership, &reply->body);
    store_pool_give_back(forum->pool, store);
    settle(reply, complete);
}

static bool read_wanted(const struct request *request, struct reply *reply,
                        struct ownership *wanted)
{
    json_t *object = json_body_read(request, reply);
    if (object == NULL)
        return false;
    struct outcome fault = outcome_of(OUTCOME_DONE);
    const char *owner = json_string_value(json_object_get(object, "owner"));
    const json_t *epoch = json_object_get(object, "epoch");
    if (owner == NULL || (strcmp(owner, "legacy") != 0 && strcmp(owner, "extracted") != 0))
        fault = outcome_field_fault("owner", "It is legacy or extracted.");
    else if (!json_is_integer(epoch) || json_integer_value(epoch) < 1)
        fault = outcome_field_fault("epoch", "It is a number from 1 on.");
    if (fault.kind == OUTCOME_DONE) {
        wanted->is_ours = strcmp(owner, "legacy") == 0;
        wanted->epoch = json_integer_value(epoch);
    } else {
        problem_answer_outcome(reply, &fault);
    }
    json_decref(object);
    return fault.kind == OUTCOME_DONE;
}

static void refuse(struct reply *reply, const struct ownership *current)
{
    struct outcome late = outcome_of(OUTCOME_NOT_OWNER);
    late.ownership = *current;
    problem_answer_outcome(reply, &late);
}

/* Inside the writer's turn: no write is under way, and none comes in between. */
void owner_answer_change(struct forum *forum, const struct request *request, struct reply *reply)
{
    struct ownership wanted = {0};
    struct ownership current = {0};
    if (!find_aggregate(request, reply, &wanted.aggregate) || !read_wanted(request, reply, &wanted))
        return;
    struct store *store = writer_begin(forum->writer);
    if (store == NULL || !ownership_read(store, wanted.aggregate, &current)) {
        if (store != NULL)
            writer_rollback(forum->writer);
        reply_fault(reply);
        return;
    }
    if (ownership_compare(&current, &wanted) == OWNERSHIP_REFUSED) {
        writer_rollback(forum->writer);
        refuse(reply, &current);
        return;
    }
    bool complete = ownership_write(store, &wanted) && write_state(store, &wanted, &reply->body);
    if (complete)
        complete = writer_commit(forum->writer);
    else
        writer_rollback(forum->writer);
    settle(reply, complete);
}
