/*
 * Compares what the two sides of each module hold, and lists the rows that are not the same.
 *
 * Rows are written meanwhile and reach the other side a little later. With --settle a difference is
 * asked for again until it vanishes; one that stays is a fault.
 */
#include <curl/curl.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "extracted/reconcile/report.h"
#include "extracted/service_kit/duration.h"

enum { EXIT_EQUAL, EXIT_DIFFERENT, EXIT_USAGE, EXIT_UNREACHABLE };
enum { FEEDS = 7, SETTLE_PAUSE_MS = 100 };

static const struct {
    const char *name;
    const char *module;
} feeds[FEEDS] = {
    {"users", "users"},     {"accounts", "users"}, {"sessions", "users"}, {"categories", "threads"},
    {"threads", "threads"}, {"posts", "posts"},    {"likes", "posts"},
};

struct options {
    bool wants[FEEDS];
    bool is_json;
    int64_t settle_ms;
};

static const char help[] =
    "usage: reconcile [--settle DURATION] [--json] [MODULE…]\n"
    "\n"
    "Compares the rows that the two sides of modules hold: users, threads, posts, or all of them.\n"
    "\n"
    "  --settle 5s   while rows are written: asks again for what differs, for so long at most\n"
    "  --json        one JSON object instead of lines\n"
    "\n" APPLICATION_ENVIRONMENT "\n"
    "Exit status: 0 equal, 1 not equal, 2 bad usage, 3 an application did not answer.\n";

/* --- usage --------------------------------------------------------------------------------- */

static bool want_module(struct options *options, const char *module)
{
    bool found = false;
    for (size_t i = 0; i < FEEDS; i++) {
        bool is_meant = module == NULL || strcmp(feeds[i].module, module) == 0;
        options->wants[i] |= is_meant;
        found |= is_meant;
    }
    return found;
}

static bool read_modules(int argc, char **argv, struct options *options)
{
    if (optind == argc)
        return want_module(options, NULL);
    for (int i = optind; i < argc; i++) {
        if (!want_module(options, argv[i]))
            return false;
    }
    return true;
}

/* *ret_wants_help is only set for a good usage. */
static bool read_options(int argc, char **argv, struct options *options, bool *ret_wants_help)
{
    static const struct option known[] = {{"settle", required_argument, NULL, 's'},
                                          {"json", no_argument, NULL, 'j'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
    for (int option; (option = getopt_long(argc, argv, "", known, NULL)) != -1;) {
        if (option == 'j')
            options->is_json = true;
        else if (option == 'h')
            *ret_wants_help = true;
        else if (option != 's' || !duration_parse(optarg, &options->settle_ms))
            return false;
    }
    return read_modules(argc, argv, options);
}

/* --- the comparison ------------------------------------------------------------------------ */

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void pause_a_little(void)
{
    struct timespec pause = {.tv_nsec = SETTLE_PAUSE_MS * 1000000L};
    nanosleep(&pause, NULL);
}

/* Until nothing differs, or what differs did so for all of the time. */
static bool settle(struct comparison *comparison, int64_t settle_ms)
{
    int64_t end_ms = now_ms() + settle_ms;
    while ((comparison->count > 0 || comparison->is_cut) && now_ms() < end_ms) {
        bool is_good =
            comparison->count > 0 ? comparison_repeat(comparison) : comparison_run(comparison);
        if (!is_good)
            return false;
        if (comparison->count > 0)
            pause_a_little();
    }
    return true;
}

static bool compare(struct comparison *comparisons, size_t count, int64_t settle_ms)
{
    for (size_t i = 0; i < count; i++) {
        if (comparison_run(&comparisons[i]) && settle(&comparisons[i], settle_ms))
            continue;
        fprintf(stderr, "reconcile: %s\n", comparisons[i].fault.text);
        return false;
    }
    return true;
}

static int report(const struct options *options, const struct comparison *comparisons, size_t count)
{
    bool is_printed =
        options->is_json ? report_print_json(comparisons, count) : report_print(comparisons, count);
    return is_printed && report_is_equal(comparisons, count) ? EXIT_EQUAL : EXIT_DIFFERENT;
}

static int run(const struct options *options)
{
    struct application_pair pairs[FEEDS];
    struct comparison comparisons[FEEDS] = {0};
    size_t count = 0;
    for (size_t i = 0; i < FEEDS; i++) {
        if (!options->wants[i] || !application_pair_find(feeds[i].module, &pairs[i]))
            continue;
        comparisons[count++] = (struct comparison){.feed = feeds[i].name, .pair = &pairs[i]};
    }
    bool is_compared = compare(comparisons, count, options->settle_ms);
    int status = is_compared ? report(options, comparisons, count) : EXIT_UNREACHABLE;
    for (size_t i = 0; i < count; i++)
        comparison_done(&comparisons[i]);
    return status;
}

int main(int argc, char **argv)
{
    struct options options = {.is_json = false};
    bool wants_help = false;
    if (!read_options(argc, argv, &options, &wants_help)) {
        fputs(help, stderr);
        return EXIT_USAGE;
    }
    if (wants_help) {
        fputs(help, stdout);
        return EXIT_EQUAL;
    }
    curl_global_init(CURL_GLOBAL_DEFAULT);
    int status = run(&options);
    curl_global_cleanup();
    return status;
}
