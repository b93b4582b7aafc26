#include "extracted/service_kit/import.h"

#include <curl/curl.h>
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "extracted/service_kit/import_lines.h"

enum { RETRY_PAUSE_MS = 200, CONNECT_TIMEOUT_MS = 2000, URL_LENGTH = 512 };

static const char imported_fact[] = "imported_rows";

enum attempt { ATTEMPT_DONE, ATTEMPT_AGAIN, ATTEMPT_HOPELESS };

struct import {
    struct database *database;
    const struct import_plan *plan;
    const struct import_settings *settings;
    int64_t deadline_ms;
    uint64_t rows;
    char reason[URL_LENGTH + 256]; /* why the last attempt failed */
};

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *context)
{
    return import_lines_feed(context, bytes, size * count) ? size * count : 0;
}

/* libcurl asks about once a second, and while data flows: a stop ends the transfer. */
static int on_progress(void *context, curl_off_t down_total, curl_off_t down, curl_off_t up_total,
                       curl_off_t up)
{
    (void)down_total;
    (void)down;
    (void)up_total;
    (void)up;
    const struct import *import = context;
    return *import->settings->stop != 0;
}

static bool set_up(CURL *curl, const char *url, struct import *import, struct import_lines *lines)
{
    int64_t left_ms = import->deadline_ms - now_ms();
    if (left_ms < 1)
        left_ms = 1;
    return curl_easy_setopt(curl, CURLOPT_URL, url) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http") == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_PROXY, "") == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_TIMEOUT_MS) ==
               CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)left_ms) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_WRITEDATA, lines) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_XFERINFODATA, import) == CURLE_OK;
}

/* An export that breaks off is tried again; one with a line that we do not understand is not. */
static enum attempt fetch(struct import *import, CURL *curl, const char *url,
                          struct import_lines *lines)
{
    CURLcode code = CURLE_FAILED_INIT;
    if (set_up(curl, url, import, lines))
        code = curl_easy_perform(curl);
    if (code == CURLE_OK)
        import_lines_finish(lines);
    if (lines->fault != NULL) {
        snprintf(import->reason, sizeof(import->reason), "%s line %" PRIu64 ": %s", url,
                 lines->rows + 1, lines->fault);
        return ATTEMPT_HOPELESS;
    }
    if (code == CURLE_OK)
        return ATTEMPT_DONE;
    snprintf(import->reason, sizeof(import->reason), "%s: %s", url, curl_easy_strerror(code));
    return ATTEMPT_AGAIN;
}

static enum attempt import_source(struct import *import, const struct import_source *source)
{
    char url[URL_LENGTH];
    int length = snprintf(url, sizeof(url), "%s%s", import->settings->monolith, source->path);
    CURL *curl = curl_easy_init();
    if (curl == NULL || length < 0 || (size_t)length >= sizeof(url)) {
        snprintf(import->reason, sizeof(import->reason), "the monolith's address is too long");
        curl_easy_cleanup(curl);
        return ATTEMPT_HOPELESS;
    }
    struct import_lines lines;
    import_lines_init(&lines, import->database, source->insert_query, source->shape);
    enum attempt outcome = ATTEMPT_HOPELESS;
    if (database_execute(import->database, source->delete_sql))
        outcome = fetch(import, curl, url, &lines);
    import->rows += lines.rows;
    import_lines_done(&lines);
    curl_easy_cleanup(curl);
    return outcome;
}

static enum attempt import_all(struct import *import)
{
    if (!database_execute(import->database, "BEGIN IMMEDIATE"))
        return ATTEMPT_HOPELESS;
    enum attempt outcome = ATTEMPT_DONE;
    import->rows = 0;
    for (size_t i = 0; i < import->plan->count && outcome == ATTEMPT_DONE; i++)
        outcome = import_source(import, &import->plan->sources[i]);
    if (outcome == ATTEMPT_DONE &&
        (!database_fact_write(import->database, imported_fact, (sqlite3_int64)import->rows) ||
         !database_execute(import->database, "COMMIT")))
        outcome = ATTEMPT_HOPELESS;
    if (outcome != ATTEMPT_DONE)
        database_execute(import->database, "ROLLBACK");
    return outcome;
}

/* A signal ends the pause early. */
static void pause_before_retry(void)
{
    struct timespec pause = {.tv_nsec = RETRY_PAUSE_MS * 1000000L};
    nanosleep(&pause, NULL);
}

static enum import_outcome import_until(struct import *import, bool has_rows)
{
    for (;;) {
        enum attempt outcome = import_all(import);
        if (outcome == ATTEMPT_DONE)
            return IMPORT_FILLED;
        if (*import->settings->stop != 0)
            return IMPORT_STOPPED;
        if (has_rows)
            return IMPORT_STALE;
        if (outcome == ATTEMPT_HOPELESS || now_ms() + RETRY_PAUSE_MS >= import->deadline_ms)
            return IMPORT_FAILED;
        pause_before_retry();
    }
}

enum import_outcome import_run(struct database *database, const struct import_plan *plan,
                               const struct import_settings *settings)
{
    struct import import = {.database = database,
                            .plan = plan,
                            .settings = settings,
                            .deadline_ms = now_ms() + settings->timeout_ms};
    sqlite3_int64 rows = 0;
    bool has_rows = database_fact_read(database, imported_fact, &rows);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    enum import_outcome outcome = import_until(&import, has_rows);
    curl_global_cleanup();
    if (outcome == IMPORT_STALE)
        fprintf(stderr, "%s: cannot import (%s); serving the %lld rows of the last import\n",
                settings->service, import.reason, rows);
    if (outcome == IMPORT_FAILED)
        fprintf(stderr, "%s: cannot import: %s\n", settings->service, import.reason);
    return outcome;
}
