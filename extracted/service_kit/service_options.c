#include "extracted/service_kit/service_options.h"

#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "extracted/service_kit/duration.h"

static void print_help(const char *service, const struct service_options *defaults)
{
    printf("Usage: %s [--listen ADDRESS:PORT] [--database FILE] [--monolith URL]\n"
           "       [--users URL] [--threads URL] [--import-timeout DURATION]\n"
           "       [--latency TIME[,TIME]] [--fail PERCENT%%] [--bug NAME]\n"
           "\n"
           "The forum's %s as a service of their own: cleartext HTTP/2, prior knowledge.\n"
           "\n"
           "  --listen ADDRESS:PORT      where to listen; port 0 picks a free one (default %s)\n"
           "  --database FILE            the SQLite file, made when new (default %s)\n"
           "  --monolith URL             whose feeds to follow (default %s)\n"
           "  --users URL, --threads URL the services whose feeds to follow as well\n"
           "  --import-timeout DURATION  how long an empty service waits for the monolith,\n"
           "                             such as 500ms (default 30s)\n"
           "  --latency 20ms,200ms       hold each answer back, evenly between the two\n"
           "  --fail 1%%                  answer 500 to that share, without doing anything\n"
           "  --bug NAME                 off-by-one, dropped-field, reordered or slow-search\n"
           "  --help                     print this and exit\n",
           service, service, defaults->listen, defaults->database, defaults->monolith);
}

/* Nothing but scheme and authority: the paths are ours. */
static bool is_origin(const char *url)
{
    static const char scheme[] = "http://";
    size_t length = strlen(scheme);
    return strncmp(url, scheme, length) == 0 && url[length] != 0 &&
           strpbrk(url + length, "/?#@ ") == NULL;
}

static bool read_origin(const char *value, const char **ret_origin)
{
    if (!is_origin(value))
        return false;
    *ret_origin = value;
    return true;
}

/* False: the value is none for that option; *ret_wanted says what would be. */
static bool read_value(int letter, const char *value, struct service_options *options,
                       const char **ret_wanted)
{
    *ret_wanted = "http://ADDRESS:PORT";
    switch (letter) {
    case 'm':
        return read_origin(value, &options->monolith);
    case 'u':
        return read_origin(value, &options->users);
    case 'T':
        return read_origin(value, &options->threads);
    case 't':
        *ret_wanted = "a duration such as 500ms or 30s";
        return duration_parse(value, &options->import_timeout_ms);
    case 'y':
        *ret_wanted = "a time such as 20ms, or two: 20ms,200ms";
        return knobs_parse_latency(value, &options->knobs);
    case 'f':
        *ret_wanted = "a share such as 1%";
        return knobs_parse_fail(value, &options->knobs);
    case 'b':
        *ret_wanted = "off-by-one, dropped-field, reordered or slow-search";
        return knobs_parse_bug(value, &options->knobs);
    case 'l':
        options->listen = value;
        break;
    case 'd':
        options->database = value;
        break;
    }
    return true;
}

enum service_options_outcome service_options_read(const char *service, int argc, char **argv,
                                                  struct service_options *options)
{
    static const struct option known[] = {
        {"listen", required_argument, NULL, 'l'},
        {"database", required_argument, NULL, 'd'},
        {"monolith", required_argument, NULL, 'm'},
        {"users", required_argument, NULL, 'u'},
        {"threads", required_argument, NULL, 'T'},
        {"import-timeout", required_argument, NULL, 't'},
        {"latency", required_argument, NULL, 'y'},
        {"fail", required_argument, NULL, 'f'},
        {"bug", required_argument, NULL, 'b'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    const struct service_options defaults = *options;
    const char *wanted;
    int index = 0;
    int letter;
    while ((letter = getopt_long(argc, argv, "h", known, &index)) != -1) {
        if (letter == 'h') {
            print_help(service, &defaults);
            return SERVICE_OPTIONS_HELP;
        }
        if (letter == '?') { /* getopt_long has named the fault */
            fprintf(stderr, "%s: try --help\n", service);
            return SERVICE_OPTIONS_WRONG;
        }
        if (!read_value(letter, optarg, options, &wanted)) {
            fprintf(stderr, "%s: --%s '%s' is not %s\n", service, known[index].name, optarg,
                    wanted);
            return SERVICE_OPTIONS_WRONG;
        }
    }
    if (optind < argc) {
        fprintf(stderr, "%s: unexpected argument '%s'; try --help\n", service, argv[optind]);
        return SERVICE_OPTIONS_WRONG;
    }
    return SERVICE_OPTIONS_RUN;
}
