#include "proxy/cli/command_explain.h"

#include <getopt.h>
#include <jansson.h>
#include <stdlib.h>

#include "proxy/cli/usage.h"
#include "proxy/config/settings.h"
#include "proxy/core/array.h"
#include "proxy/explain/explain.h"
#include "proxy/explain/explain_print.h"

enum { EXIT_GOOD, EXIT_FAULT };

static const char help[] =
    "usage: strangler explain METHOD URL [-H 'name: value']… [--from ADDRESS]\n"
    "                         [--config DIR|FILE] [--json]\n"
    "\n"
    "Shows what the proxy would do with one request, and why: which route and module take it, "
    "which\n"
    "side serves it, and what is sent. Nothing is sent; only the files are read.\n"
    "\n"
    "  METHOD           GET, POST, …\n"
    "  URL              /path?query, or with a host: https://forum.example.org/path\n"
    "  -H 'name: value' a header field of the request; may be repeated (cookies too)\n"
    "  --from ADDRESS   the client's IP address (default 127.0.0.1); when it is a trusted proxy,\n"
    "                   the client is read from x-forwarded-for, as for real requests\n"
    "  --config PATH    the configuration (default: the folder `routes`)\n"
    "  --json           one JSON object\n"
    "  --help           this text\n"
    "\n"
    "  strangler explain GET /api/users/1 --from 192.0.2.7\n"
    "  strangler explain POST https://forum.example.org/api/posts -H 'cookie: sid=1'\n"
    "\n"
    "Exit status: 0 explained, 1 the configuration has errors, 2 bad usage.\n";

struct explain_options {
    const char *config;
    bool json;
    bool help;
    struct strview *headers;
    struct explain_words words;
};

static bool take_option(int c, struct explain_options *options)
{
    switch (c) {
    case 'H':
        options->headers[options->words.header_count++] = strview_of(optarg);
        return true;
    case 'f':
        options->words.from = strview_of(optarg);
        return true;
    case 'c':
        options->config = optarg;
        return true;
    case 'j':
        options->json = true;
        return true;
    case 'h':
        options->help = true;
        return true;
    default:
        return false;
    }
}

static int take_words(int count, char **words, struct explain_options *options)
{
    if (count == 0)
        return usage_fault("explain", "METHOD and URL are missing");
    if (count == 1)
        return usage_fault("explain", "a METHOD and a URL are needed, `%s` stands alone", words[0]);
    if (count > 2)
        return usage_fault("explain", "`%s` is one word too many", words[2]);
    options->words.method = strview_of(words[0]);
    options->words.url = strview_of(words[1]);
    return EXIT_GOOD;
}

/* EXIT_GOOD, or EXIT_USAGE after saying why. */
static int parse_options(int argc, char **argv, struct explain_options *options)
{
    static const struct option known[] = {
        {"from", required_argument, NULL, 'f'},
        {"config", required_argument, NULL, 'c'},
        {"json", no_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    optind = 0; /* for glibc: start anew */
    opterr = 0;
    for (int c = getopt_long(argc, argv, ":hH:", known, NULL); c != -1;
         c = getopt_long(argc, argv, ":hH:", known, NULL)) {
        if (!take_option(c, options))
            return usage_option_fault("explain", argv, c);
    }
    return options->help ? EXIT_GOOD : take_words(argc - optind, argv + optind, options);
}

static int explain_with(const struct explain_options *options, const struct snapshot *snapshot)
{
    struct fault fault;
    json_t *found = explain(snapshot, &options->words, &fault);
    if (found == NULL)
        return usage_fault("explain", "%s", fault.text);
    if (options->json) {
        json_dumpf(found, stdout, JSON_INDENT(2));
        putchar('\n');
    } else {
        explain_print(found, stdout);
        puts(
            "\nFrom the files alone: whether a change of write owner is under way or has failed is "
            "not seen.");
    }
    json_decref(found);
    return EXIT_GOOD;
}

static int explain_offline(const struct explain_options *options)
{
    struct config_report report;
    config_report_init(&report);
    struct endpoint_registry *registry = endpoint_registry_new();
    struct settings *settings = settings_load(options->config, &report);
    struct snapshot *snapshot =
        settings != NULL ? snapshot_build_offline(settings, registry, &report) : NULL;
    int status = EXIT_FAULT;
    struct fault fault;
    /* Without keys a pin is said to be one that cannot be verified. */
    if (snapshot != NULL)
        (void)snapshot_read_pin_keys(snapshot, snapshot->state_dir.data, false, &fault);
    if (snapshot == NULL)
        config_report_print(&report, stderr);
    else
        status = explain_with(options, snapshot);
    snapshot_unref(snapshot);
    settings_free(settings);
    endpoint_registry_free(registry);
    config_report_done(&report);
    return status;
}

int command_explain(int argc, char **argv)
{
    struct explain_options options = {.config = "routes"};
    options.words.from = STRVIEW("127.0.0.1");
    options.headers = memory_zalloc((size_t)argc * sizeof(*options.headers));
    options.words.headers = options.headers;
    int status = parse_options(argc, argv, &options);
    if (status == EXIT_GOOD && options.help)
        fputs(help, stdout);
    else if (status == EXIT_GOOD)
        status = explain_offline(&options);
    free(options.headers);
    return status;
}
