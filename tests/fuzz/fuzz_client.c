/*
 * A client that sends anything, in HTTP/1 or behind HTTP/2's preface: a real connection with real
 * exchanges, over Unix sockets. The input is a few bytes of choices (struct choices) and
 * then what the client sends, cut into pieces. A backend behind it reads strictly: what reaches it
 * is a request framed in one way, whatever was sent. The client gets whole answers of HTTP/1.1, and
 * when all is over nothing is held.
 */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proxy/client/client_connection.h"
#include "proxy/config/settings.h"
#include "proxy/core/array.h"
#include "proxy/core/check.h"
#include "proxy/net/socket.h"
#include "tests/fuzz/strict_request.h"

enum {
    CHOICES_BYTES = 3,
    BUDGET_BYTES = 1 << 20,
    TURNS_A_PIECE = 4, /* read; connect or forward; answer; pass that on */
    BACKENDS_MAX = 8,
    HELD_BYTES = 256 * 1024,
};

struct choices {
    uint8_t piece_bytes; /* the most that is sent at once; 0: all */
    uint8_t answer;      /* which */
    uint8_t flags;
};

enum choice_flag {
    CHOICE_HALF_CLOSE = 1, /* the client ends its side when it has sent everything */
    CHOICE_DRAIN = 2,      /* the proxy stops in an orderly way meanwhile */
    CHOICE_DEAF = 4,       /* the client reads only at the end */
    CHOICE_HTTP2 = 8,      /* it has said that it speaks HTTP/2 */
};

struct backend_end {
    int fd; /* -1: none */
    char bytes[HELD_BYTES];
    size_t length;
    bool tunnel; /* it says everything again */
};

struct world {
    struct io io;
    struct backend_pools pools;
    struct endpoint_registry *registry;
    struct exchange_environment exchanges;
    struct client_environment clients;
    _Atomic uint32_t total_connections;
    int listener;
    int client;
    struct choices choices;
    struct backend_end backends[BACKENDS_MAX];
    char answers[HELD_BYTES];
    size_t answers_length;
};

static const char configuration[] =
    "listeners: { plain: { address = \"127.0.0.1:1\"; }; };\n"
    "backends: { m: { endpoints = [ \"127.0.0.1:2\" ]; }; };\n"
    "default = \"m\"; access_log: { path = \"off\"; };\n"
    "routes: { no: { prefix = \"/no\"; deny = 403; };\n"
    "  ws: { prefix = \"/ws\"; backend = \"m\"; websocket = true; }; };\n"
    "limits: { header_bytes = \"4KiB\"; header_fields = 20; body_bytes = \"64KiB\"; };\n";

/* --- the world ----------------------------------------------------------------------------- */

static struct snapshot *make_snapshot(struct world *world)
{
    struct config_report report;
    config_report_init(&report);
    struct settings *settings =
        settings_load_text(STRVIEW("fuzz.cfg"), strview_of(configuration), &report);
    CHECK(settings != NULL);
    world->registry = endpoint_registry_new();
    struct snapshot *snapshot = snapshot_build_offline(settings, world->registry, &report);
    CHECK(snapshot != NULL);
    settings_free(settings);
    config_report_done(&report);

    struct endpoint_state *endpoint = backend_endpoints(&snapshot->backends[0])->slots[0].state;
    struct address *address = &endpoint->address;
    world->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    CHECK(world->listener >= 0);
    address->socket.any.sa_family = AF_UNIX; /* without a name the system chooses one */
    CHECK(bind(world->listener, &address->socket.any, sizeof(sa_family_t)) == 0);
    CHECK(listen(world->listener, BACKENDS_MAX) == 0);
    CHECK(socket_local_address(world->listener, address));
    return snapshot;
}

static void world_init(struct world *world)
{
    io_init(&world->io);
    struct exchange_environment *exchanges = &world->exchanges;
    exchanges->io = &world->io;
    exchanges->pools = &world->pools;
    exchanges->scratch = match_scratch_new();
    exchanges->metrics = metrics_shard_new();
    list_init(&exchanges->leases);
    list_init(&exchanges->waiting);
    list_init(&exchanges->tunnels);
    entropy_init(&exchanges->entropy);
    retry_budget_init(&exchanges->retries);
    exchanges->lease = snapshot_lease_new_take(make_snapshot(world), &exchanges->leases);
    world->clients.exchanges = exchanges;
    world->clients.total_connections = &world->total_connections;
    world->clients.counts = address_counts_new(1);
    world->clients.pauses = address_pauses_new(1);
    list_init(&world->clients.connections);
}

/* --- the backend --------------------------------------------------------------------------- */

static void accept_connections(struct world *world)
{
    struct address address;
    for (size_t i = 0; i < BACKENDS_MAX; i++) {
        struct backend_end *end = &world->backends[i];
        if (end->fd >= 0)
            continue;
        end->fd = socket_accept(world->listener, &address);
        end->length = 0;
        end->tunnel = false;
    }
}

static void close_backend(struct backend_end *end)
{
    if (end->fd >= 0)
        close(end->fd);
    end->fd = -1;
}

static void say_to_proxy(const struct backend_end *end, struct strview text)
{
    send(end->fd, text.data, text.length, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void answer_request(const struct world *world, struct backend_end *end,
                           enum strict_kind kind)
{
    static const struct strview no_content =
        STRVIEW("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n");
    static const struct strview switching =
        STRVIEW("HTTP/1.1 101 X\r\nupgrade: WebSocket\r\nconnection: Upgrade\r\n\r\nfirst");
    static const char hints_and_chunks[] =
        "HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n"
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nx-t: 1\r\n\r\n";
    static const char *const answers[] = {
        "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok",
        hints_and_chunks,
        "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n",
        "HTTP/1.1 204 No Content\r\n\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    };
    end->tunnel = kind == STRICT_WEBSOCKET && world->choices.answer % 5 != 3;
    if (end->tunnel)
        say_to_proxy(end, switching);
    else if (kind == STRICT_HEAD)
        say_to_proxy(end, no_content);
    else
        say_to_proxy(end, strview_of(answers[world->choices.answer % 5]));
}

/* What the proxy sends is right, byte for byte, or aborts here. */
static void serve(struct world *world, struct backend_end *end)
{
    if (end->fd < 0)
        return;
    ssize_t got =
        recv(end->fd, end->bytes + end->length, sizeof(end->bytes) - end->length, MSG_DONTWAIT);
    if (got == 0) {
        close_backend(end);
        return;
    }
    end->length += got > 0 ? (size_t)got : 0;
    if (end->tunnel) {
        say_to_proxy(end, strview_make(end->bytes, end->length));
        end->length = 0;
        return;
    }
    enum strict_kind kind = STRICT_PLAIN;
    size_t used = strict_request_length(strview_make(end->bytes, end->length), &kind);
    if (used == 0)
        return;
    CHECK(used == end->length); /* one at a time */
    end->length = 0;
    answer_request(world, end, kind);
}

/* --- the client ---------------------------------------------------------------------------- */

static void hear(struct world *world)
{
    ssize_t got;
    while (world->answers_length < HELD_BYTES &&
           (got = recv(world->client, world->answers + world->answers_length,
                       HELD_BYTES - world->answers_length, MSG_DONTWAIT)) > 0)
        world->answers_length += (size_t)got;
}

static void turn(struct world *world)
{
    for (int i = 0; i < TURNS_A_PIECE; i++) {
        ev_run(world->io.loop.ev, EVRUN_NOWAIT);
        accept_connections(world);
        for (size_t j = 0; j < BACKENDS_MAX; j++)
            serve(world, &world->backends[j]);
    }
    if (!(world->choices.flags & CHOICE_DEAF))
        hear(world);
}

static void say(struct world *world, struct strview input)
{
    while (input.length > 0) {
        size_t piece = world->choices.piece_bytes;
        if (piece == 0 || piece > input.length)
            piece = input.length;
        ssize_t sent = send(world->client, input.data, piece, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent <= 0)
            break; /* the proxy reads no more, or has closed */
        input = strview_from(input, (size_t)sent);
        turn(world);
    }
}

/* The preface and empty settings (RFC 9113 section 3.4). */
static const struct strview http2_start = STRVIEW("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
                                                  "\0\0\0\4\0\0\0\0\0");

static void connect_client(struct world *world)
{
    int ends[2];
    struct address address = {0};
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0);
    world->client = ends[0];
    world->answers_length = 0;
    world->clients.draining = false;
    const struct client_terms in_clear = {.tls = NULL};
    client_connection_accept_take(&world->clients, ends[1], &address, &in_clear);
}

/* An answer of HTTP/1.1, or HTTP/2's first frame for who has sent its preface. */
static void check_answers(const struct world *world)
{
    static const char start[] = "HTTP/1.1 ";
    size_t length =
        world->answers_length < sizeof(start) - 1 ? world->answers_length : sizeof(start) - 1;
    CHECK(length == 0 || world->answers[0] == '\0' || memcmp(world->answers, start, length) == 0);
}

/* --- one input ----------------------------------------------------------------------------- */

static void check_nothing_is_held(struct world *world)
{
    client_connections_close_all(&world->clients);
    loop_run_tasks(&world->io.loop);
    CHECK(world->exchanges.live == 0 && world->clients.connection_count == 0);
    CHECK(world->pools.count == 0 || world->pools.items[0]->in_flight == 0);
    CHECK(world->pools.budget.granted == 0);
    backend_pools_done(&world->pools);
    loop_run_tasks(&world->io.loop);
    CHECK(world->io.buffers.live == 1 + (size_t)world->io.spare_count); /* to read into */
    for (size_t i = 0; i < BACKENDS_MAX; i++)
        close_backend(&world->backends[i]);
    close(world->client);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct world world;
    if (world.exchanges.io == NULL)
        world_init(&world);
    if (size < CHOICES_BYTES)
        return 0;
    world.choices = (struct choices){data[0], data[1], data[2]};
    for (size_t i = 0; i < BACKENDS_MAX; i++)
        world.backends[i].fd = -1;
    backend_pools_init(&world.pools, &world.io, BUDGET_BYTES);
    connect_client(&world);
    if (world.choices.flags & CHOICE_HTTP2)
        say(&world, http2_start);
    say(&world, strview_make((const char *)data + CHOICES_BYTES, size - CHOICES_BYTES));
    if ((world.choices.flags & CHOICE_HALF_CLOSE) && (world.choices.flags & CHOICE_HTTP2))
        turn(&world); /* who has gone before it is read is not listened to */
    if (world.choices.flags & CHOICE_HALF_CLOSE)
        shutdown(world.client, SHUT_WR);
    if (world.choices.flags & CHOICE_DRAIN)
        client_connections_drain(&world.clients);
    turn(&world);
    hear(&world);
    turn(&world);
    hear(&world);
    check_answers(&world);
    check_nothing_is_held(&world);
    return 0;
}
