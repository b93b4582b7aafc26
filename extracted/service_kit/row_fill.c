#include "extracted/service_kit/row_fill.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "extracted/service_kit/body_text.h"
#include "extracted/service_kit/ownership.h"

enum { URL_LENGTH = 512, NAME_LENGTH = 64, ID_LENGTH = 96, STATE_LIMIT = 64 * 1024 };

static const char own_side[] = "extracted";

/* One aggregate, while it is read. */
struct reading {
    struct backfill *backfill;
    const json_t *state; /* what the monolith says of it, from before its rows were read */
    int64_t epoch;
    bool is_ours;
};

static enum backfill_outcome refuse(struct backfill *backfill, const char *what, const char *fault)
{
    snprintf(backfill->fault, sizeof(backfill->fault), "%s: %s", what, fault);
    return BACKFILL_HOPELESS;
}

static enum backfill_outcome break_down(struct backfill *backfill)
{
    return refuse(backfill, "its rows", "the database does not take them");
}

static enum backfill_outcome fetch(struct backfill *backfill, const char *path,
                                   struct body_text *body)
{
    char url[URL_LENGTH];
    snprintf(url, sizeof(url), "%s%s", backfill->source.origin, path);
    return backfill_get(backfill, url, body, NULL);
}

static enum backfill_outcome fetch_state(struct backfill *backfill, const char *aggregate,
                                         json_t **ret_state)
{
    char path[URL_LENGTH];
    struct body_text body;
    json_error_t error;
    body_text_init(&body, STATE_LIMIT);
    snprintf(path, sizeof(path), "/internal/owner/%s", aggregate);
    enum backfill_outcome outcome = fetch(backfill, path, &body);
    if (outcome == BACKFILL_DONE) {
        *ret_state = json_loadb(body.length > 0 ? body.bytes : "", body.length, 0, &error);
        if (*ret_state == NULL)
            outcome = refuse(backfill, path, "not JSON");
    }
    body_text_done(&body);
    return outcome;
}

/* How far a feed was read, or goes: 0 where nothing is said. */
static int64_t member(const json_t *state, const char *object, const char *name)
{
    int64_t seq = json_integer_value(json_object_get(json_object_get(state, object), name));
    return seq > 0 ? seq : 0;
}

static int64_t foreign_cursor(const json_t *state, const struct feed *feed)
{
    char name[NAME_LENGTH];
    snprintf(name, sizeof(name), "%s@%s", feed->name, own_side);
    return member(state, "cursors", name);
}

/* The id by which rows are asked for: that of a row without one is its first two members. */
static bool read_id(const struct feed *feed, const json_t *row, char id[ID_LENGTH])
{
    const json_t *own = json_object_get(row, "id");
    int length = -1;
    if (json_is_integer(own)) {
        length = snprintf(id, ID_LENGTH, "%" PRId64, (int64_t)json_integer_value(own));
    } else if (json_is_string(own)) {
        length = snprintf(id, ID_LENGTH, "%s", json_string_value(own));
    } else {
        const json_t *first = json_object_get(row, feed->shape->members[0].name);
        const json_t *second = json_object_get(row, feed->shape->members[1].name);
        if (json_is_integer(first) && json_is_integer(second))
            length =
                snprintf(id, ID_LENGTH, "%" PRId64 ":%" PRId64, (int64_t)json_integer_value(first),
                         (int64_t)json_integer_value(second));
    }
    return length > 0 && length < ID_LENGTH;
}

static const char *take_row(const struct reading *reading, const struct feed *feed,
                            const char *line, size_t length, char id[ID_LENGTH])
{
    json_error_t error;
    const char *fault = NULL;
    json_t *row = json_loadb(line, length, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
    if (!json_is_object(row) || !read_id(feed, row, id))
        fault = "not a row";
    else
        fault = feed_put(reading->backfill->database, feed, row, reading->epoch);
    json_decref(row);
    return fault;
}

/* `id` becomes that of the last row. NULL: all of them are taken; else what is wrong. */
static const char *take_rows(const struct reading *reading, const struct feed *feed,
                             const struct body_text *body, char id[ID_LENGTH])
{
    const char *at = body->bytes;
    const char *end = at + body->length;
    const char *fault = NULL;
    while (fault == NULL && at < end) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        if (newline == NULL)
            return "a line is not ended";
        fault = take_row(reading, feed, at, (size_t)(newline - at), id);
        at = newline + 1;
    }
    return fault;
}

static enum backfill_outcome read_page(const struct reading *reading, const struct feed *feed,
                                       char id[ID_LENGTH], bool *ret_is_over)
{
    char path[URL_LENGTH];
    struct body_text body;
    body_text_init(&body, FEED_BODY_LIMIT);
    snprintf(path, sizeof(path), "/internal/rows/%s%s%s", feed->name, id[0] != 0 ? "?after=" : "",
             id);
    enum backfill_outcome outcome = fetch(reading->backfill, path, &body);
    if (outcome == BACKFILL_DONE) {
        const char *fault = body.length > 0 ? take_rows(reading, feed, &body, id) : NULL;
        *ret_is_over = body.length == 0;
        if (fault != NULL)
            outcome = refuse(reading->backfill, path, fault);
    }
    body_text_done(&body);
    return outcome;
}

/* What is written while the rows are read comes after the cursors. */
static enum backfill_outcome read_feed(const struct reading *reading, const struct feed *feed)
{
    struct backfill *backfill = reading->backfill;
    const struct feed_source foreign = {.side = own_side};
    char id[ID_LENGTH] = "";
    bool is_over = false;
    enum backfill_outcome outcome = BACKFILL_DONE;
    while (outcome == BACKFILL_DONE && !is_over)
        outcome = read_page(reading, feed, id, &is_over);
    if (outcome != BACKFILL_DONE)
        return outcome;
    bool is_noted =
        feed_cursor_write(backfill->database, feed, &backfill->source,
                          member(reading->state, "feeds_last", feed->name)) &&
        feed_cursor_write(backfill->database, feed, &foreign, foreign_cursor(reading->state, feed));
    return is_noted ? BACKFILL_DONE : break_down(backfill);
}

/* Our events are numbered on from where the monolith has read those that are lost. */
static bool take_own(const struct reading *reading, struct row_fill *fill)
{
    const struct feed_plan *plan = reading->backfill->plan;
    struct database *database = reading->backfill->database;
    struct ownership ownership;
    int64_t last = 0;
    for (size_t i = 0; i < plan->count; i++) {
        int64_t cursor = feed_is_own(plan, &plan->feeds[i])
                             ? foreign_cursor(reading->state, &plan->feeds[i])
                             : 0;
        last = cursor > last ? cursor : last;
    }
    *fill = (struct row_fill){.is_ours = reading->is_ours, .epoch = reading->epoch};
    return ownership_read(database, plan->aggregate, &ownership) &&
           ownership_write(database, plan->aggregate,
                           &(struct ownership){.epoch = reading->epoch}) &&
           database_number_from(database, "outbox", last);
}

static enum backfill_outcome read_aggregate(struct reading *reading, const char *aggregate,
                                            struct row_fill *fill)
{
    struct backfill *backfill = reading->backfill;
    const char *owner = json_string_value(json_object_get(reading->state, "owner"));
    enum backfill_outcome outcome = BACKFILL_DONE;
    reading->epoch = json_integer_value(json_object_get(reading->state, "epoch"));
    if (reading->epoch < 1 || owner == NULL || !ownership_parse(owner, &reading->is_ours))
        return refuse(backfill, aggregate, "the monolith does not say who owns the writes");
    for (size_t i = 0; i < backfill->plan->count && outcome == BACKFILL_DONE; i++) {
        const struct feed *feed = &backfill->plan->feeds[i];
        if (strcmp(feed->aggregate, aggregate) == 0)
            outcome = read_feed(reading, feed);
    }
    bool is_own = strcmp(backfill->plan->aggregate, aggregate) == 0;
    if (outcome == BACKFILL_DONE && is_own && !take_own(reading, fill))
        return break_down(backfill);
    return outcome;
}

static bool is_first_of_its_aggregate(const struct feed_plan *plan, size_t index)
{
    for (size_t i = 0; i < index; i++) {
        if (strcmp(plan->feeds[i].aggregate, plan->feeds[index].aggregate) == 0)
            return false;
    }
    return true;
}

enum backfill_outcome row_fill_run(struct backfill *backfill, struct row_fill *ret_fill)
{
    const struct feed_plan *plan = backfill->plan;
    enum backfill_outcome outcome = BACKFILL_DONE;
    for (size_t i = 0; i < plan->count && outcome == BACKFILL_DONE; i++) {
        json_t *state = NULL;
        if (!is_first_of_its_aggregate(plan, i))
            continue;
        outcome = fetch_state(backfill, plan->feeds[i].aggregate, &state);
        struct reading reading = {.backfill = backfill, .state = state};
        if (outcome == BACKFILL_DONE)
            outcome = read_aggregate(&reading, plan->feeds[i].aggregate, ret_fill);
        json_decref(state);
    }
    return outcome;
}
