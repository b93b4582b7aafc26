#include "monolith_stub/options.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

enum { FOLLOW_URL_BYTES = 256 };

static const char help_text[] =
    "Usage: monolith_stub [--listen ADDRESS:PORT] [--database FILE] [--follow-users URL]\n"
    "                     [--follow-threads URL] [--follow-posts URL] [--latency TIME[,TIME]]\n"
    "                     [--fail PERCENT%] [--bug NAME]\n"
    "\n"
    "The forum as one program, HTTP/1.1.\n"
    "\n"
    "  --listen ADDRESS:PORT  where to listen; port 0 picks a free one (default 127.0.0.1:3000)\n"
    "  --database FILE        the SQLite file, made and filled when new (default monolith.db)\n"
    "  --follow-users URL     follow the feeds of the extracted users service there\n"
    "  --follow-threads URL   the same for threads\n"
    "  --follow-posts URL     the same for posts\n"
    "  --latency 20ms,200ms   hold each answer back, evenly between the two\n"
    "  --fail 1%              answer 500 to that share, without doing anything\n"
    "  --bug NAME             off-by-one, dropped-field, reordered or slow-search\n"
    "  --help                 print this and exit\n";

static bool read_follow(const char *url, const char **ret_url)
{
    static const char scheme[] = "http://";
    size_t length = strlen(url);
    if (strncmp(url, scheme, strlen(scheme)) != 0 || length == strlen(scheme) ||
        length > FOLLOW_URL_BYTES || strchr(url + strlen(scheme), '/') != NULL)
        return false;
    *ret_url = url;
    return true;
}

static bool read_option(int option, const char *value, struct options *options)
{
    switch (option) {
    case 'l':
        options->listen = value;
        return true;
    case 'd':
        options->database = value;
        return true;
    case 'u':
        return read_follow(value, &options->follow[AGGREGATE_USERS]);
    case 't':
        return read_follow(value, &options->follow[AGGREGATE_THREADS]);
    case 'p':
        return read_follow(value, &options->follow[AGGREGATE_POSTS]);
    case 'y':
        return knobs_read_latency(value, &options->knobs);
    case 'f':
        return knobs_read_fail(value, &options->knobs);
    case 'b':
        return knobs_read_bug(value, &options->knobs);
    default:
        return false;
    }
}

enum options_outcome options_read(int argc, char **argv, struct options *ret_options)
{
    static const struct option known[] = {
        {"listen", required_argument, NULL, 'l'},
        {"database", required_argument, NULL, 'd'},
        {"follow-users", required_argument, NULL, 'u'},
        {"follow-threads", required_argument, NULL, 't'},
        {"follow-posts", required_argument, NULL, 'p'},
        {"latency", required_argument, NULL, 'y'},
        {"fail", required_argument, NULL, 'f'},
        {"bug", required_argument, NULL, 'b'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    struct options options = {.listen = "127.0.0.1:3000", .database = "monolith.db"};
    int option;
    while ((option = getopt_long(argc, argv, "h", known, NULL)) != -1) {
        if (option == 'h') {
            fputs(help_text, stdout);
            return OPTIONS_HELP;
        }
        if (option == '?') { /* getopt_long has named the fault */
            fputs("monolith_stub: try --help\n", stderr);
            return OPTIONS_WRONG;
        }
        if (!read_option(option, optarg, &options)) {
            fprintf(stderr, "monolith_stub: '%s' is no value for that option; try --help\n",
                    optarg);
            return OPTIONS_WRONG;
        }
    }
    if (optind < argc) {
        fprintf(stderr, "monolith_stub: unexpected argument '%s'; try --help\n", argv[optind]);
        return OPTIONS_WRONG;
    }
    *ret_options = options;
    return OPTIONS_RUN;
}
