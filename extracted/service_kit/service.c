#include "extracted/service_kit/service.h"

#include <curl/curl.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "extracted/service_kit/feed_routes.h"
#include "extracted/service_kit/h2_server.h"
#include "extracted/service_kit/job_pool.h"
#include "extracted/service_kit/listen_address.h"
#include "extracted/service_kit/page_style.h"
#include "extracted/service_kit/service_options.h"
#include "extracted/service_kit/service_state.h"

enum { EXIT_DONE = 0, EXIT_PROBLEM = 1, EXIT_USAGE = 2 };

/* Set by a signal that comes before the server watches for signals itself. */
static volatile sig_atomic_t stop_asked;

static void on_early_signal(int number)
{
    (void)number;
    stop_asked = 1;
}

/* No SA_RESTART: a pause between two attempts of the import ends early. */
static void watch_early_signals(void)
{
    struct sigaction action = {.sa_handler = on_early_signal};
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
}

static void answer_health(struct database *database, const struct http_request *request,
                          struct http_reply *reply)
{
    (void)database;
    (void)request;
    http_reply_text(reply, 200, "ok");
}

static void answer_welcome(struct database *database, const struct http_request *request,
                           struct http_reply *reply)
{
    (void)database;
    (void)request;
    http_reply_text(reply, 200, "The forum is open.");
}

static void answer_api_welcome(struct database *database, const struct http_request *request,
                               struct http_reply *reply)
{
    (void)database;
    (void)request;
    http_reply_text(reply, 200, "The forum's API: users, threads, posts.");
}

static const struct http_route common_routes[] = {
    {"GET", "/health", answer_health, 0},
    {"GET", "/", answer_welcome, 0},
    {"GET", "/api", answer_api_welcome, 0},
    {"GET", "/forum/style.css", page_style, 0},
};

enum { COMMON_ROUTES = sizeof(common_routes) / sizeof(common_routes[0]) };

/* The service's routes, then the common ones. The caller frees the array. */
static struct http_route *join_routes(const struct router *own)
{
    struct http_route *routes = calloc(own->count + COMMON_ROUTES + FEED_ROUTES, sizeof(*routes));
    if (routes == NULL)
        return NULL;
    memcpy(routes, own->routes, own->count * sizeof(*routes));
    memcpy(routes + own->count, common_routes, sizeof(common_routes));
    memcpy(routes + own->count + COMMON_ROUTES, feed_routes, sizeof(feed_routes));
    return routes;
}

/* What lives in the server's loop besides the server. */
static bool start_companions(struct service_state *state, struct h2_server *server)
{
    struct ev_loop *loop = h2_server_loop(server);
    state->jobs = job_pool_new(loop);
    state->client = http_client_new(loop);
    if (state->jobs == NULL || state->client == NULL)
        return false;
    struct followers_settings settings = {.service = state->name,
                                          .database = state->database,
                                          .plan = state->feeds,
                                          .sources = state->sources,
                                          .loop = loop,
                                          .client = state->client};
    state->followers = followers_new(&settings);
    return state->followers != NULL;
}

static int run_server(struct service_state *state, struct h2_server *server, const char *address)
{
    bool is_good = server != NULL && start_companions(state, server);
    if (is_good && stop_asked == 0) {
        printf("ready %s\n", address);
        fflush(stdout);
        h2_server_run(server);
    }
    followers_free(state->followers);
    http_client_free(state->client);
    job_pool_free(state->jobs);
    return is_good ? EXIT_DONE : EXIT_PROBLEM;
}

static int serve(const struct service *service, const struct service_options *options,
                 struct database *database, int take_socket)
{
    char address[LISTEN_ADDRESS_LENGTH];
    struct http_route *routes = join_routes(&service->router);
    if (routes == NULL || listen_address_open(take_socket, address) != LISTEN_ADDRESS_FINE) {
        fprintf(stderr, "%s: cannot listen: %s\n", service->name, strerror(errno));
        close(take_socket);
        free(routes);
        return EXIT_PROBLEM;
    }
    struct service_state state = {.name = service->name,
                                  .feeds = &service->feeds,
                                  .database = database,
                                  .sources = {options->monolith, options->users, options->threads},
                                  .session_query = service->session_query,
                                  .username_query = service->username_query};
    struct h2_service answers = {
        .router = {routes, service->router.count + COMMON_ROUTES + FEED_ROUTES},
        .database = database,
        .state = &state,
        .knobs = options->knobs};
    struct h2_server *server = h2_server_new(take_socket, &answers);
    int status = run_server(&state, server, address);
    h2_server_free(server);
    free(routes);
    return status;
}

static int import_and_serve(const struct service *service, const struct service_options *options,
                            struct database *database, int take_socket)
{
    struct import_settings settings = {.service = service->name,
                                       .monolith = options->monolith,
                                       .feeds = &service->feeds,
                                       .timeout_ms = options->import_timeout_ms,
                                       .stop = &stop_asked};
    switch (import_run(database, &service->import, &settings)) {
    case IMPORT_FILLED:
    case IMPORT_STALE:
        return serve(service, options, database, take_socket);
    case IMPORT_STOPPED:
        close(take_socket);
        return EXIT_DONE;
    case IMPORT_FAILED:
        break;
    }
    close(take_socket);
    return EXIT_PROBLEM;
}

static int run(const struct service *service, const struct service_options *options)
{
    int socket = -1;
    switch (listen_address_bind(options->listen, &socket)) {
    case LISTEN_ADDRESS_FINE:
        break;
    case LISTEN_ADDRESS_MALFORMED:
        fprintf(stderr, "%s: --listen '%s' is not ADDRESS:PORT, with PORT 0 to 65535\n",
                service->name, options->listen);
        return EXIT_USAGE;
    case LISTEN_ADDRESS_REFUSED:
        fprintf(stderr, "%s: cannot listen on %s: %s\n", service->name, options->listen,
                strerror(errno));
        return EXIT_PROBLEM;
    }
    struct database *database = database_open(service->name, options->database, &service->tables);
    if (database == NULL) {
        close(socket);
        return EXIT_PROBLEM;
    }
    int status = import_and_serve(service, options, database, socket);
    database_close(database);
    return status;
}

int service_run(const struct service *service, int argc, char **argv)
{
    struct service_options options = {.listen = service->default_listen,
                                      .database = service->default_database,
                                      .monolith = "http://127.0.0.1:3000",
                                      .import_timeout_ms = 30 * 1000};
    switch (service_options_read(service->name, argc, argv, &options)) {
    case SERVICE_OPTIONS_RUN:
        break;
    case SERVICE_OPTIONS_HELP:
        return EXIT_DONE;
    case SERVICE_OPTIONS_WRONG:
        return EXIT_USAGE;
    }
    watch_early_signals();
    curl_global_init(CURL_GLOBAL_DEFAULT);
    int status = run(service, &options);
    curl_global_cleanup();
    return status;
}
