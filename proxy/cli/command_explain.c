#include "proxy/cli/command_explain.h"

#include <getopt.h>
#include <stdlib.h>
#include <sys/random.h>

#include "proxy/cli/explain_print.h"
#include "proxy/cli/explain_request.h"
#include "proxy/cli/usage.h"
#include "proxy/core/array.h"

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
    struct strview from;
    bool json;
    bool help;
    struct explain_words words; /* owns the array of headers, not the texts */
};

static bool take_option(int c, struct explain_options *options)
{
    switch (c) {
    case 'H':
        options->words.headers[options->words.header_count++] = optarg;
        return true;
    case 'f':
        options->from = strview_of(optarg);
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
    options->words.method = words[0];
    options->words.url = words[1];
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

static bool is_trusted(const void *context, struct strview text)
{
    const struct snapshot *snapshot = context;
    struct ip_address ip;
    return ip_parse(text, &ip) &&
           cidr_list_contains(snapshot->trusted_proxies, snapshot->trusted_proxy_count, &ip);
}

/* Behind a trusted proxy: the last address in x-forwarded-for that is none of ours. */
static void find_client(struct explanation *explanation)
{
    const struct snapshot *snapshot = explanation->snapshot;
    if (!cidr_list_contains(snapshot->trusted_proxies, snapshot->trusted_proxy_count,
                            &explanation->client))
        return;
    struct strview text = forwarding_client_text(explanation->request, is_trusted, snapshot);
    struct ip_address ip;
    if (ip_parse(text, &ip))
        explanation->client = ip;
}

/* The first source in the list that gives something, as identity_of goes through it. */
static const struct identity_source *find_source(const struct explanation *explanation,
                                                 const struct identity_facts *facts,
                                                 struct arena *arena)
{
    const struct plan_rules *rules = &explanation->snapshot->rules;
    for (size_t i = 0; i < rules->identity_count; i++) {
        struct identity identity =
            identity_of(&rules->identity[i], 1, explanation->request, facts, arena);
        if (identity.value.length > 0)
            return &rules->identity[i];
    }
    return NULL;
}

/* Does the refusing route take the path as it was asked for, or only another spelling of it? */
static bool is_guard_by_spelling(const struct explanation *explanation,
                                 struct match_scratch *scratch)
{
    const struct plan *plan = &explanation->plan;
    if (plan->reason != REASON_DENY)
        return false;
    return explanation->request->path_kind != PATH_CANONICAL ||
           route_table_find(explanation->snapshot->routes, explanation->request, scratch) !=
               plan->route;
}

static void plan(struct explanation *explanation, struct arena *arena)
{
    uint8_t random[IDENTITY_RANDOM_BYTES] = {0};
    if (getrandom(random, sizeof(random), GRND_NONBLOCK) < 0)
        random[0] = 1; /* any visitor serves as an example */
    find_client(explanation);
    explanation->plan.reason = REASON_REJECTED;
    explanation->plan.is_write = !http_method_is_read(explanation->request->method);
    explanation->verdict = request_check(explanation->request, &explanation->snapshot->limits);
    if (explanation->verdict.status != 0)
        return;
    struct match_scratch *scratch = match_scratch_new();
    const struct plan_facts facts = {.client = explanation->client, .random = random};
    const struct identity_facts identity_facts = {.client = explanation->client, .random = random};
    plan_request(&explanation->snapshot->rules, explanation->request, &facts, arena, scratch,
                 &explanation->plan);
    explanation->source = find_source(explanation, &identity_facts, arena);
    explanation->guard_by_spelling = is_guard_by_spelling(explanation, scratch);
    match_scratch_free(scratch);
}

static int explain_with(const struct explain_options *options, struct explanation *explanation,
                        struct arena *arena)
{
    struct config_report report;
    config_report_init(&report);
    struct endpoint_registry *registry = endpoint_registry_new();
    struct settings *settings = settings_load(options->config, &report);
    struct snapshot *snapshot =
        settings != NULL ? snapshot_build_offline(settings, registry, &report) : NULL;
    int status = EXIT_FAULT;
    if (snapshot == NULL) {
        config_report_print(&report, stderr);
    } else {
        explanation->settings = settings;
        explanation->snapshot = snapshot;
        plan(explanation, arena);
        (options->json ? explain_print_json : explain_print)(explanation, stdout);
        status = EXIT_GOOD;
    }
    snapshot_unref(snapshot);
    settings_free(settings);
    endpoint_registry_free(registry);
    config_report_done(&report);
    return status;
}

static int explain(const struct explain_options *options)
{
    struct explanation explanation = {.settings = NULL};
    if (!ip_parse(options->from, &explanation.client))
        return usage_fault("explain", "`--from` takes an IP address without port, not `%.*s`",
                           STRVIEW_ARGS(options->from));
    struct arena arena;
    arena_init(&arena, NULL);
    struct request_head request;
    struct fault fault;
    int status;
    if (explain_request_make(&options->words, &arena, &request, &fault)) {
        explanation.request = &request;
        status = explain_with(options, &explanation, &arena);
    } else {
        status = usage_fault("explain", "%s", fault.text);
    }
    arena_done(&arena);
    return status;
}

int command_explain(int argc, char **argv)
{
    struct explain_options options = {.config = "routes", .from = STRVIEW("127.0.0.1")};
    options.words.headers = memory_zalloc((size_t)argc * sizeof(*options.words.headers));
    int status = parse_options(argc, argv, &options);
    if (status == EXIT_GOOD && options.help)
        fputs(help, stdout);
    else if (status == EXIT_GOOD)
        status = explain(&options);
    free(options.words.headers);
    return status;
}
