#include "extracted/service_kit/import.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "extracted/service_kit/backfill.h"
#include "extracted/service_kit/blocking_get.h"
#include "extracted/service_kit/import_lines.h"
#include "extracted/service_kit/ownership.h"
#include "extracted/service_kit/row_fill.h"

enum { RETRY_PAUSE_MS = 200, URL_LENGTH = 512 };

static const char imported_fact[] = "imported_rows";

enum attempt { ATTEMPT_DONE, ATTEMPT_AGAIN, ATTEMPT_HOPELESS };

struct import {
    struct database *database;
    const struct import_plan *plan;
    const struct import_settings *settings;
    int64_t deadline_ms;
    bool has_rows; /* of an earlier start */
    uint64_t rows;
    char reason[URL_LENGTH + 256]; /* why the last attempt failed */
};

static bool take(void *context, const char *bytes, size_t length)
{
    return import_lines_feed(context, bytes, length);
}

/* An export that breaks off is tried again; one with a line that we do not understand is not. */
static enum attempt fetch(struct import *import, const char *url, struct import_lines *lines)
{
    struct blocking_get get = {.url = url,
                               .timeout_ms = import->deadline_ms - backfill_now_ms(),
                               .stop = import->settings->stop,
                               .take = take,
                               .context = lines};
    if (blocking_get_run(&get))
        import_lines_finish(lines);
    if (lines->fault != NULL) {
        snprintf(import->reason, sizeof(import->reason), "%s line %" PRIu64 ": %s", url,
                 lines->rows + 1, lines->fault);
        return ATTEMPT_HOPELESS;
    }
    if (get.fault == NULL)
        return ATTEMPT_DONE;
    snprintf(import->reason, sizeof(import->reason), "%s: %s", url, get.fault);
    return ATTEMPT_AGAIN;
}

static enum attempt import_source(struct import *import, const struct import_source *source)
{
    char url[URL_LENGTH];
    int length = snprintf(url, sizeof(url), "%s%s", import->settings->monolith, source->path);
    if (length < 0 || (size_t)length >= sizeof(url)) {
        snprintf(import->reason, sizeof(import->reason), "the monolith's address is too long");
        return ATTEMPT_HOPELESS;
    }
    struct import_lines lines;
    import_lines_init(&lines, import->database, source->insert_query, source->shape);
    enum attempt outcome = ATTEMPT_HOPELESS;
    if (database_execute(import->database, source->delete_sql))
        outcome = fetch(import, url, &lines);
    import->rows += lines.rows;
    import_lines_done(&lines);
    return outcome;
}

static enum attempt import_exports(struct import *import)
{
    if (!database_transaction_begin(import->database))
        return ATTEMPT_HOPELESS;
    enum attempt outcome = ATTEMPT_DONE;
    import->rows = 0;
    for (size_t i = 0; i < import->plan->count && outcome == ATTEMPT_DONE; i++)
        outcome = import_source(import, &import->plan->sources[i]);
    bool is_good = outcome == ATTEMPT_DONE && database_fact_write(import->database, imported_fact,
                                                                  (sqlite3_int64)import->rows);
    if (!database_transaction_end(import->database, is_good) && outcome == ATTEMPT_DONE)
        outcome = ATTEMPT_HOPELESS;
    return outcome;
}

/* Where no feed is offered the exports are all there is, unless the rows are ours by now. */
static enum attempt import_without_feeds(struct import *import)
{
    struct ownership ownership;
    if (!ownership_read(import->database, import->settings->feeds->aggregate, &ownership))
        return ATTEMPT_HOPELESS;
    return ownership.is_ours ? ATTEMPT_DONE : import_exports(import);
}

static void say_that_nobody_owns(const struct import *import, const struct row_fill *fill)
{
    if (fill->is_ours)
        fprintf(stderr,
                "%s: the database is new, but this side owns the writes since epoch %" PRId64
                ": it holds what the monolith knew, and takes no writes before the next flip\n",
                import->settings->service, fill->epoch);
}

/* Rows, cursors and the fact that they are there, or nothing. */
static enum backfill_outcome fill_with_rows(struct import *import, struct backfill *backfill)
{
    struct row_fill fill = {0};
    if (!database_transaction_begin(import->database))
        return BACKFILL_HOPELESS;
    enum backfill_outcome outcome = row_fill_run(backfill, &fill);
    bool is_good =
        outcome == BACKFILL_DONE && database_fact_write(import->database, imported_fact, 0);
    if (!database_transaction_end(import->database, is_good) && outcome == BACKFILL_DONE)
        outcome = BACKFILL_HOPELESS;
    if (outcome == BACKFILL_DONE)
        say_that_nobody_owns(import, &fill);
    return outcome;
}

static enum attempt import_all(struct import *import)
{
    struct backfill backfill = {.database = import->database,
                                .plan = import->settings->feeds,
                                .source = {.side = "legacy", .origin = import->settings->monolith},
                                .deadline_ms = import->deadline_ms,
                                .stop = import->settings->stop};
    enum backfill_outcome outcome =
        import->has_rows ? BACKFILL_ABSENT : fill_with_rows(import, &backfill);
    if (outcome == BACKFILL_ABSENT)
        outcome = backfill_run(&backfill);
    switch (outcome) {
    case BACKFILL_DONE:
        return database_fact_write(import->database, imported_fact, 0) ? ATTEMPT_DONE
                                                                       : ATTEMPT_HOPELESS;
    case BACKFILL_ABSENT:
        return import_without_feeds(import);
    case BACKFILL_AGAIN:
    case BACKFILL_HOPELESS:
        break;
    }
    snprintf(import->reason, sizeof(import->reason), "%s", backfill.fault);
    return outcome == BACKFILL_AGAIN ? ATTEMPT_AGAIN : ATTEMPT_HOPELESS;
}

/* Who starts everything by hand sees at once what is missing. */
static void say_that_it_waits(const struct import *import)
{
    fprintf(stderr, "%s: cannot import yet (%s); trying again for up to %.1f s\n",
            import->settings->service, import->reason,
            (double)import->settings->timeout_ms / 1000.);
}

/* A signal ends the pause early. */
static void pause_before_retry(void)
{
    struct timespec pause = {.tv_nsec = RETRY_PAUSE_MS * 1000000L};
    nanosleep(&pause, NULL);
}

static enum import_outcome import_until(struct import *import)
{
    for (bool is_first = true;; is_first = false) {
        enum attempt outcome = import_all(import);
        if (outcome == ATTEMPT_DONE)
            return IMPORT_FILLED;
        if (*import->settings->stop != 0)
            return IMPORT_STOPPED;
        if (import->has_rows)
            return IMPORT_STALE;
        if (outcome == ATTEMPT_HOPELESS ||
            backfill_now_ms() + RETRY_PAUSE_MS >= import->deadline_ms)
            return IMPORT_FAILED;
        if (is_first)
            say_that_it_waits(import);
        pause_before_retry();
    }
}

enum import_outcome import_run(struct database *database, const struct import_plan *plan,
                               const struct import_settings *settings)
{
    struct import import = {.database = database,
                            .plan = plan,
                            .settings = settings,
                            .deadline_ms = backfill_now_ms() + settings->timeout_ms};
    sqlite3_int64 rows = 0;
    import.has_rows = database_fact_read(database, imported_fact, &rows);
    enum import_outcome outcome = import_until(&import);
    if (outcome == IMPORT_STALE)
        fprintf(stderr, "%s: cannot import (%s); serving the rows of the last time\n",
                settings->service, import.reason);
    if (outcome == IMPORT_FAILED)
        fprintf(stderr, "%s: cannot import: %s\n", settings->service, import.reason);
    return outcome;
}
