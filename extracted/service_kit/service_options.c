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
           "\n"
           "The forum's %s as a service of their own: cleartext HTTP/2, prior knowledge.\n"
           "\n"
           "  --listen ADDRESS:PORT      where to listen; port 0 picks a free one (default %s)\n"
           "  --database FILE            the SQLite file, made when new (default %s)\n"
           "  --monolith URL             whose feeds to follow (default %s)\n"
           "  --users URL, --threads URL the services whose feeds to follow as well\n"
           "  --import-timeout DURATION  how long an empty service waits for the monolith,\n"
           "                             such as 500ms (default 30s)\n"
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

static bool check_origin(const char *service, const char *option, const char *url)
{
    if (url == NULL || is_origin(url))
        return true;
    fprintf(stderr, "%s: %s '%s' is not http://ADDRESS:PORT\n", service, option, url);
    return false;
}

static bool check_values(const char *service, const struct service_options *options,
                         const char *import_timeout, int64_t *ret_timeout_ms)
{
    if (!check_origin(service, "--monolith", options->monolith) ||
        !check_origin(service, "--users", options->users) ||
        !check_origin(service, "--threads", options->threads))
        return false;
    if (import_timeout != NULL && !duration_parse(import_timeout, ret_timeout_ms)) {
        fprintf(stderr, "%s: --import-timeout '%s' is not a duration such as 500ms or 30s\n",
                service, import_timeout);
        return false;
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
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    const struct service_options defaults = *options;
    const char *import_timeout = NULL;
    int option;
    while ((option = getopt_long(argc, argv, "h", known, NULL)) != -1) {
        switch (option) {
        case 'l':
            options->listen = optarg;
            break;
        case 'd':
            options->database = optarg;
            break;
        case 'm':
            options->monolith = optarg;
            break;
        case 'u':
            options->users = optarg;
            break;
        case 'T':
            options->threads = optarg;
            break;
        case 't':
            import_timeout = optarg;
            break;
        case 'h':
            print_help(service, &defaults);
            return SERVICE_OPTIONS_HELP;
        default: /* getopt_long has named the fault */
            fprintf(stderr, "%s: try --help\n", service);
            return SERVICE_OPTIONS_WRONG;
        }
    }
    if (optind < argc) {
        fprintf(stderr, "%s: unexpected argument '%s'; try --help\n", service, argv[optind]);
        return SERVICE_OPTIONS_WRONG;
    }
    bool fine = check_values(service, options, import_timeout, &options->import_timeout_ms);
    return fine ? SERVICE_OPTIONS_RUN : SERVICE_OPTIONS_WRONG;
}
