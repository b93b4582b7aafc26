#include "proxy/cli/command_check.h"

#include <getopt.h>

#include "proxy/cli/usage.h"
#include "proxy/config/settings.h"
#include "proxy/config/snapshot.h"

enum { EXIT_GOOD, EXIT_FAULT };

static const char help[] =
    "usage: strangler check [DIR|FILE] [--format human|json]\n"
    "\n"
    "Reads a configuration (default: the folder `routes`) as `strangler run` would and reports\n"
    "every error and every warning with its place. Nothing is started or changed.\n"
    "\n"
    "  --format human   for people (default)\n"
    "  --format json    one object: errors, warnings, faults\n"
    "  --help           this text\n"
    "\n"
    "Exit status: 0 no error (warnings may remain), 1 an error, 2 bad usage.\n"
    "Every code in brackets is explained in routes/README.md.\n";

struct check_options {
    const char *path;
    bool json;
    bool help;
};

static bool take_format(struct strview word, struct check_options *options)
{
    options->json = strview_equal(word, STRVIEW("json"));
    return options->json || strview_equal(word, STRVIEW("human"));
}

/* EXIT_GOOD, or EXIT_USAGE after saying why. */
static int parse_options(int argc, char **argv, struct check_options *options)
{
    static const struct option known[] = {
        {"format", required_argument, NULL, 'f'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    optind = 0; /* for glibc: start anew */
    opterr = 0;
    for (int c = getopt_long(argc, argv, ":h", known, NULL); c != -1;
         c = getopt_long(argc, argv, ":h", known, NULL)) {
        if (c == 'h')
            options->help = true;
        else if (c != 'f')
            return usage_option_fault("check", argv, c);
        else if (!take_format(strview_of(optarg), options))
            return usage_fault("check", "the format is `human` or `json`, not `%s`", optarg);
    }
    if (optind < argc)
        options->path = argv[optind++];
    return optind >= argc ? EXIT_GOOD
                          : usage_fault("check", "`%s` is one word too many", argv[optind]);
}

static void print_summary(struct config_report *report, const struct snapshot *snapshot,
                          const char *path)
{
    config_report_print(report, stdout);
    if (snapshot == NULL)
        printf("%s: not usable (errors: %zu, warnings: %zu)\n", path, report->errors,
               report->warnings);
    else
        printf("%s: good (listeners: %u, backends: %u, modules: %u, routes: %u, warnings: %zu)\n",
               path, snapshot->listener_count, snapshot->backend_count, snapshot->modules->count,
               snapshot->route_count, report->warnings);
}

static void print_json(struct config_report *report)
{
    printf("{\"errors\":%zu,\"warnings\":%zu,\"faults\":", report->errors, report->warnings);
    config_report_print_json(report, stdout);
    printf("}\n");
}

static int check(const struct check_options *options)
{
    struct config_report report;
    config_report_init(&report);
    struct endpoint_registry *registry = endpoint_registry_new();
    struct settings *settings = settings_load(options->path, &report);
    struct snapshot *snapshot =
        settings != NULL ? snapshot_build(settings, registry, 1, &report) : NULL;
    if (options->json)
        print_json(&report);
    else
        print_summary(&report, snapshot, options->path);
    int status = snapshot != NULL ? EXIT_GOOD : EXIT_FAULT;
    snapshot_unref(snapshot);
    settings_free(settings);
    endpoint_registry_free(registry);
    config_report_done(&report);
    return status;
}

int command_check(int argc, char **argv)
{
    struct check_options options = {.path = "routes"};
    int status = parse_options(argc, argv, &options);
    if (status != EXIT_GOOD)
        return status;
    if (options.help) {
        fputs(help, stdout);
        return EXIT_GOOD;
    }
    return check(&options);
}
