/*
 * The forum's on_flip program: tells both applications of a module who owns its writes from now on.
 *
 *   1. While the old owner owns, the new one is asked whether it is there. If not, that is all.
 *   2. The old owner is told first. From then on it refuses writes, and says how far its feed goes.
 *   3. The new owner follows that feed; it is waited for until it has all of it (lag 0).
 *   4. Only then the new owner is told, and accepts writes.
 *
 * When a later step fails the old owner is made owner again, with the next epoch, and the exit
 * status is 1. All of it takes less time than the proxy gives (30 s).
 */
#include <curl/curl.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "extracted/application/application.h"

enum { EXIT_DONE, EXIT_FAILED, EXIT_USAGE };
enum {
    TELL_LIMIT_MS = 2000,    /* one answer */
    LAG_LIMIT_MS = 10000,    /* for the new owner to read everything */
    CANCEL_LIMIT_MS = 20000, /* from the start: for the new owner to hear that it is none */
    END_LIMIT_MS = 25000,    /* from the start: for the old owner to hear that it is one again */
    POLL_MS = 20,
    NAME_BYTES = 64
};

struct flip {
    const char *module; /* the aggregate is called so, too */
    const char *owner;
    uint64_t epoch;
    struct application_pair pair;
    uint64_t began_ms;
    bool has_released; /* the old owner may have let go */
    bool has_offered;  /* the new owner may have taken over */
};

static const char help[] =
    "usage: flip MODULE OWNER EPOCH\n"
    "\n"
    "Moves the ownership of a module's writes between the forum's applications.\n"
    "\n"
    "  MODULE   users, threads or posts\n"
    "  OWNER    legacy or extracted\n"
    "  EPOCH    above every epoch that the applications know\n"
    "\n" APPLICATION_ENVIRONMENT "\n"
    "Exit status: 0 done, 1 failed and the old owner owns again, 2 bad usage.\n";

static uint64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void sleep_ms(long ms)
{
    struct timespec wait = {ms / 1000, ms % 1000 * 1000000L};
    nanosleep(&wait, NULL);
}

/* --- usage --------------------------------------------------------------------------------- */

static bool parse_arguments(int argc, char **argv, struct flip *flip)
{
    if (argc != 4)
        return false;
    flip->module = argv[1];
    flip->owner = argv[2];
    char *end = NULL;
    errno = 0;
    flip->epoch = strtoull(argv[3], &end, 10);
    if (errno != 0 || end == argv[3] || *end != '\0' || argv[3][0] == '-' || flip->epoch == 0)
        return false;
    return (strcmp(flip->owner, "legacy") == 0 || strcmp(flip->owner, "extracted") == 0) &&
           application_pair_find(flip->module, &flip->pair);
}

/* --- the steps ----------------------------------------------------------------------------- */

static const struct application *new_owner(const struct flip *flip)
{
    return strcmp(flip->owner, "legacy") == 0 ? &flip->pair.legacy : &flip->pair.extracted;
}

static const struct application *old_owner(const struct flip *flip)
{
    return strcmp(flip->owner, "legacy") == 0 ? &flip->pair.extracted : &flip->pair.legacy;
}

enum { PATH_BYTES = 128, BODY_BYTES = 128 };

/* Who owns the module's writes, by that application; `body` says who shall. NULL: see fault. */
static json_t *ask(const struct application *application, const char *module, const char *body,
                   struct application_fault *fault)
{
    char path[PATH_BYTES];
    snprintf(path, sizeof(path), "/internal/owner/%s", module);
    struct application_question question = {
        .path = path, .post_json = body, .timeout_ms = TELL_LIMIT_MS};
    return application_ask_json(application, &question, fault);
}

/* Durable when it returns. */
static json_t *tell(const struct application *application, const struct flip *flip,
                    const char *owner, uint64_t epoch, struct application_fault *fault)
{
    char body[BODY_BYTES];
    snprintf(body, sizeof(body), "{\"owner\":\"%s\",\"epoch\":%llu}", owner,
             (unsigned long long)epoch);
    return ask(application, flip->module, body, fault);
}

/* Has the new owner applied every event of the old owner's feeds, as far as those went? */
static bool has_everything(const json_t *status, const char *source, const json_t *feeds_last)
{
    const char *feed;
    json_t *last;
    json_object_foreach((json_t *)(uintptr_t)feeds_last, feed, last)
    {
        char name[NAME_BYTES];
        snprintf(name, sizeof(name), "%s@%s", feed, source);
        const json_t *cursor = json_object_get(json_object_get(status, "cursors"), name);
        if (json_integer_value(cursor) < json_integer_value(last))
            return false;
    }
    return true;
}

static bool wait_for_lag_0(const struct flip *flip, const json_t *feeds_last,
                           struct application_fault *fault)
{
    const uint64_t end_ms = now_ms() + LAG_LIMIT_MS;
    for (;;) {
        json_t *status = ask(new_owner(flip), flip->module, NULL, fault);
        bool done = status != NULL && has_everything(status, old_owner(flip)->side, feeds_last);
        bool answered = status != NULL;
        json_decref(status);
        if (done)
            return true;
        if (now_ms() > end_ms) {
            if (answered)
                snprintf(fault->text, APPLICATION_FAULT_BYTES,
                         "the %s application still lags behind after %d s", new_owner(flip)->side,
                         LAG_LIMIT_MS / 1000);
            return false;
        }
        sleep_ms(POLL_MS);
    }
}

/*
 * False: the new owner does not answer, and the old one, which owns, need not be disturbed. When
 * the old one does not own or does not answer it is not known who owns, and the steps settle it:
 * then they wait for a new owner that was just killed.
 */
static bool may_begin(const struct flip *flip, struct application_fault *fault)
{
    json_t *old = ask(old_owner(flip), flip->module, NULL, fault);
    const char *owner = json_string_value(json_object_get(old, "owner"));
    bool owns = owner != NULL && strcmp(owner, old_owner(flip)->side) == 0;
    json_decref(old);
    if (!owns)
        return true;
    json_t *new = ask(new_owner(flip), flip->module, NULL, fault);
    json_decref(new);
    return new != NULL;
}

static bool move(struct flip *flip, struct application_fault *fault)
{
    if (!may_begin(flip, fault))
        return false;
    json_t *released = tell(old_owner(flip), flip, flip->owner, flip->epoch, fault);
    flip->has_released = released != NULL || !fault->answered;
    if (released == NULL)
        return false;
    const json_t *feeds_last = json_object_get(released, "feeds_last");
    bool followed = feeds_last != NULL && wait_for_lag_0(flip, feeds_last, fault);
    if (feeds_last == NULL)
        snprintf(fault->text, APPLICATION_FAULT_BYTES, "the %s application does not say feeds_last",
                 old_owner(flip)->side);
    json_decref(released);
    if (!followed)
        return false;
    json_t *taken = tell(new_owner(flip), flip, flip->owner, flip->epoch, fault);
    flip->has_offered = taken != NULL || !fault->answered;
    json_decref(taken);
    return taken != NULL;
}

/* An application that was just killed comes back soon. False: nobody answered in time. */
static bool insist(const struct flip *flip, const struct application *application,
                   uint64_t limit_ms, struct application_fault *fault)
{
    for (;;) {
        const char *owner = old_owner(flip)->side;
        json_t *told = tell(application, flip, owner, flip->epoch + 1, fault);
        bool is_told = told != NULL || fault->answered;
        json_decref(told);
        if (is_told || now_ms() > flip->began_ms + limit_ms)
            return is_told;
        sleep_ms(POLL_MS);
    }
}

/* The old owner again, but first none that may have taken over, so that never both accept writes.
 */
static void take_back(const struct flip *flip)
{
    struct application_fault fault = {.answered = false};
    if (flip->has_offered && !insist(flip, new_owner(flip), CANCEL_LIMIT_MS, &fault))
        fprintf(stderr, "flip: %s may have two owners now: %s\n", flip->module, fault.text);
    if (!insist(flip, old_owner(flip), END_LIMIT_MS, &fault))
        fprintf(stderr, "flip: %s may have no owner now: %s\n", flip->module, fault.text);
    if (!flip->has_offered)
        json_decref(tell(new_owner(flip), flip, old_owner(flip)->side, flip->epoch + 1, &fault));
}

int main(int argc, char **argv)
{
    struct flip flip = {.began_ms = now_ms()};
    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        fputs(help, stdout);
        return EXIT_DONE;
    }
    if (!parse_arguments(argc, argv, &flip)) {
        fputs(help, stderr);
        return EXIT_USAGE;
    }
    struct application_fault fault = {.answered = false};
    curl_global_init(CURL_GLOBAL_DEFAULT);
    bool moved = move(&flip, &fault);
    if (!moved)
        fprintf(stderr, "flip: %s stays: %s\n", flip.module, fault.text);
    if (!moved && flip.has_released)
        take_back(&flip);
    curl_global_cleanup();
    return moved ? EXIT_DONE : EXIT_FAILED;
}
