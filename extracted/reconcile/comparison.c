#include "extracted/reconcile/comparison.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    WIDE_ROWS = 1000,
    NARROW_ROWS = 50,
    PATH_BYTES = 320,
    DIGEST_BYTES = 72,
    TIMEOUT_MS = 10000
};

/* Ids after one, up to another; empty is no bound. */
struct range {
    char after[COMPARISON_ID_BYTES];
    char upto[COMPARISON_ID_BYTES];
};

/* What one side has in a range. */
struct summary {
    int64_t count;
    bool has_more; /* than were counted, after `last` */
    char last[COMPARISON_ID_BYTES];
    char digest[DIGEST_BYTES];
};

/* --- asking -------------------------------------------------------------------------------- */

static void write_path(const struct comparison *comparison, const char *what,
                       const struct range *range, int limit, char (*ret_path)[PATH_BYTES])
{
    int length =
        snprintf(*ret_path, PATH_BYTES, "/internal/%s/%s?limit=%d", what, comparison->feed, limit);
    if (range->after[0] != '\0')
        length +=
            snprintf(*ret_path + length, (size_t)(PATH_BYTES - length), "&after=%s", range->after);
    if (range->upto[0] != '\0')
        snprintf(*ret_path + length, (size_t)(PATH_BYTES - length), "&upto=%s", range->upto);
}

static bool copy_string(char *room, size_t room_bytes, const json_t *string)
{
    const char *text = json_string_value(string);
    int length = snprintf(room, room_bytes, "%s", text != NULL ? text : "");
    return length >= 0 && (size_t)length < room_bytes;
}

static bool misunderstand(struct comparison *comparison, const struct application *application)
{
    snprintf(comparison->fault.text, APPLICATION_FAULT_BYTES,
             "the %s application's answer is not understood", application->side);
    return false;
}

static bool ask_digest(struct comparison *comparison, const struct application *application,
                       const struct range *range, int limit, struct summary *summary)
{
    char path[PATH_BYTES];
    write_path(comparison, "digest", range, limit, &path);
    struct application_question question = {.path = path, .timeout_ms = TIMEOUT_MS};
    json_t *object = application_ask_json(application, &question, &comparison->fault);
    if (object == NULL)
        return false;
    const json_t *count = json_object_get(object, "count");
    summary->count = json_integer_value(count);
    summary->has_more = json_is_true(json_object_get(object, "more"));
    bool is_good =
        json_is_integer(count) &&
        copy_string(summary->last, sizeof(summary->last), json_object_get(object, "last")) &&
        copy_string(summary->digest, sizeof(summary->digest), json_object_get(object, "digest")) &&
        (summary->last[0] != '\0' || !summary->has_more) && summary->digest[0] != '\0';
    json_decref(object);
    return is_good || misunderstand(comparison, application);
}

/* The id of a row, as feeds and ranges write it. */
static bool write_id(const json_t *row, char (*ret_id)[COMPARISON_ID_BYTES])
{
    const json_t *id = json_object_get(row, "id");
    const json_t *post = json_object_get(row, "post");
    const json_t *user = json_object_get(row, "user");
    if (json_is_string(id))
        return copy_string(*ret_id, sizeof(*ret_id), id);
    if (json_is_integer(id))
        snprintf(*ret_id, sizeof(*ret_id), "%" PRId64, (int64_t)json_integer_value(id));
    else
        snprintf(*ret_id, sizeof(*ret_id), "%" PRId64 ":%" PRId64,
                 (int64_t)json_integer_value(post), (int64_t)json_integer_value(user));
    return json_is_integer(id) || (json_is_integer(post) && json_is_integer(user));
}

static bool add_row(json_t *rows, const char *line, size_t length)
{
    char id[COMPARISON_ID_BYTES];
    json_error_t error;
    json_t *row = json_loadb(line, length, JSON_ALLOW_NUL, &error);
    if (json_is_object(row) && write_id(row, &id))
        return json_object_set_new(rows, id, row) == 0;
    json_decref(row);
    return false;
}

static bool add_rows(json_t *rows, const char *at, size_t length)
{
    const char *end = at + length;
    while (at < end) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        if (newline == NULL || !add_row(rows, at, (size_t)(newline - at)))
            return false;
        at = newline + 1;
    }
    return true;
}

/* An object of all rows in the range, by id. NULL: see the fault. */
static json_t *ask_rows(struct comparison *comparison, const struct application *application,
                        const struct range *range)
{
    char path[PATH_BYTES];
    size_t length = 0;
    write_path(comparison, "rows", range, WIDE_ROWS, &path);
    struct application_question question = {.path = path, .timeout_ms = TIMEOUT_MS};
    char *lines = application_ask(application, &question, &length, &comparison->fault);
    if (lines == NULL)
        return NULL;
    json_t *rows = json_object();
    bool is_good = rows != NULL && add_rows(rows, lines, length);
    free(lines);
    if (is_good)
        return rows;
    json_decref(rows);
    misunderstand(comparison, application);
    return NULL;
}

/* --- finding ------------------------------------------------------------------------------- */

static bool note(struct comparison *comparison, const struct range *range, const char *id,
                 json_t *legacy, json_t *extracted)
{
    if (comparison->count == COMPARISON_DIFFERENCES_MAX) {
        comparison->is_cut = true;
        return true;
    }
    if (comparison->differences == NULL)
        comparison->differences =
            calloc(COMPARISON_DIFFERENCES_MAX, sizeof(*comparison->differences));
    if (comparison->differences == NULL)
        return false;
    struct difference *difference = &comparison->differences[comparison->count++];
    snprintf(difference->id, sizeof(difference->id), "%s", id);
    snprintf(difference->after, sizeof(difference->after), "%s", range->after);
    difference->legacy = json_incref(legacy);
    difference->extracted = json_incref(extracted);
    return true;
}

static bool note_rows(struct comparison *comparison, const struct range *range, json_t *legacy,
                      json_t *extracted)
{
    const char *id;
    json_t *row;
    bool is_good = true;
    json_object_foreach(legacy, id, row)
    {
        json_t *other = json_object_get(extracted, id);
        if (!json_equal(row, other))
            is_good = is_good && note(comparison, range, id, row, other);
    }
    json_object_foreach(extracted, id, row)
    {
        if (json_object_get(legacy, id) == NULL)
            is_good = is_good && note(comparison, range, id, NULL, row);
    }
    return is_good;
}

static bool list_rows(struct comparison *comparison, const struct range *range)
{
    json_t *legacy = ask_rows(comparison, &comparison->pair->legacy, range);
    json_t *extracted =
        legacy != NULL ? ask_rows(comparison, &comparison->pair->extracted, range) : NULL;
    bool is_good = extracted != NULL;
    if (is_good && !note_rows(comparison, range, legacy, extracted)) {
        snprintf(comparison->fault.text, APPLICATION_FAULT_BYTES, "no memory");
        is_good = false;
    }
    json_decref(legacy);
    json_decref(extracted);
    return is_good;
}

/* The two sides' summaries of the first rows of a range. */
struct part {
    struct range range;
    struct summary legacy;
    struct summary extracted;
};

/* Cuts the part down to what neither side has more than `limit` rows of. Each turn cuts it. */
static bool ask_part(struct comparison *comparison, int limit, struct part *part)
{
    const struct application_pair *pair = comparison->pair;
    do {
        if (!ask_digest(comparison, &pair->legacy, &part->range, limit, &part->legacy))
            return false;
        if (part->legacy.has_more)
            memcpy(part->range.upto, part->legacy.last, sizeof(part->range.upto));
        if (!ask_digest(comparison, &pair->extracted, &part->range, limit, &part->extracted))
            return false;
        if (part->extracted.has_more)
            memcpy(part->range.upto, part->extracted.last, sizeof(part->range.upto));
    } while (part->extracted.has_more);
    return true;
}

static bool is_equal(const struct part *part)
{
    return part->legacy.count == part->extracted.count &&
           strcmp(part->legacy.digest, part->extracted.digest) == 0;
}

static bool is_narrow(const struct part *part)
{
    return part->legacy.count <= NARROW_ROWS && part->extracted.count <= NARROW_ROWS;
}

/* A wide part that differs is walked again in narrow ones, and these are listed. */
static bool walk(struct comparison *comparison, const struct range *range, int limit)
{
    struct part part = {.range = *range};
    while (!comparison->is_cut) {
        memcpy(part.range.upto, range->upto, sizeof(part.range.upto));
        if (!ask_part(comparison, limit, &part))
            return false;
        if (limit == WIDE_ROWS) {
            comparison->legacy_rows += part.legacy.count;
            comparison->extracted_rows += part.extracted.count;
        }
        if (!is_equal(&part) && !(is_narrow(&part) ? list_rows(comparison, &part.range)
                                                   : walk(comparison, &part.range, NARROW_ROWS)))
            return false;
        if (strcmp(part.range.upto, range->upto) == 0)
            return true;
        memcpy(part.range.after, part.range.upto, sizeof(part.range.after));
    }
    return true;
}

static void forget(struct difference *difference)
{
    json_decref(difference->legacy);
    json_decref(difference->extracted);
}

bool comparison_run(struct comparison *comparison)
{
    const struct range everything = {.after = ""};
    for (size_t i = 0; i < comparison->count; i++)
        forget(&comparison->differences[i]);
    comparison->count = 0;
    comparison->legacy_rows = 0;
    comparison->extracted_rows = 0;
    comparison->is_cut = false;
    return walk(comparison, &everything, WIDE_ROWS);
}

/* --- again --------------------------------------------------------------------------------- */

static bool is_same_row(const json_t *before, const json_t *now)
{
    return (before == NULL && now == NULL) || json_equal(before, now);
}

/* *ret_is_settled: it is none any more. */
static bool look_again(struct comparison *comparison, const struct difference *difference,
                       bool *ret_is_settled)
{
    struct range range;
    memcpy(range.after, difference->after, sizeof(range.after));
    memcpy(range.upto, difference->id, sizeof(range.upto));
    json_t *legacy_rows = ask_rows(comparison, &comparison->pair->legacy, &range);
    json_t *extracted_rows =
        legacy_rows != NULL ? ask_rows(comparison, &comparison->pair->extracted, &range) : NULL;
    const json_t *legacy = json_object_get(legacy_rows, difference->id);
    const json_t *extracted = json_object_get(extracted_rows, difference->id);
    bool is_good = extracted_rows != NULL;
    *ret_is_settled =
        is_same_row(legacy, extracted) || (!is_same_row(difference->legacy, legacy) &&
                                           !is_same_row(difference->extracted, extracted));
    json_decref(legacy_rows);
    json_decref(extracted_rows);
    return is_good;
}

bool comparison_repeat(struct comparison *comparison)
{
    size_t kept = 0;
    bool is_good = true;
    for (size_t i = 0; i < comparison->count; i++) {
        struct difference *difference = &comparison->differences[i];
        bool is_settled = false;
        is_good = is_good && look_again(comparison, difference, &is_settled);
        if (is_good && is_settled) {
            forget(difference);
            comparison->settled++;
        } else {
            comparison->differences[kept++] = *difference;
        }
    }
    comparison->count = kept;
    return is_good;
}

void comparison_done(struct comparison *comparison)
{
    for (size_t i = 0; i < comparison->count; i++)
        forget(&comparison->differences[i]);
    free(comparison->differences);
    *comparison = (struct comparison){.feed = comparison->feed};
}
