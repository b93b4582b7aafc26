#include "proxy/net/resolver.h"

#include <ares.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>

#include "proxy/core/array.h"
#include "proxy/core/check.h"

/* c-ares doubles the time with each try. */
enum { TRY_MS = 1000, TRIES = 3 };

struct resolver {
    struct loop *loop;
    ares_channel channel;
    ev_timer timer;
    struct list sockets;
};

/* A descriptor of c-ares. */
struct resolver_socket {
    struct list node;
    struct resolver *resolver;
    ev_io io;
};

struct question {
    resolver_event *on_answer;
    void *owner;
};

/* --- its descriptors and its time ------------------------------------------------------------ */

static void set_timer(struct resolver *resolver)
{
    struct timeval wait;
    ev_timer_stop(resolver->loop->ev, &resolver->timer);
    if (ares_timeout(resolver->channel, NULL, &wait) == NULL)
        return;
    ev_timer_set(&resolver->timer, (double)wait.tv_sec + (double)wait.tv_usec / 1e6, 0.0);
    ev_timer_start(resolver->loop->ev, &resolver->timer);
}

static void on_timer(struct ev_loop *ev, ev_timer *watcher, int events)
{
    (void)ev, (void)events;
    struct resolver *resolver = watcher->data;
    ares_process_fd(resolver->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    set_timer(resolver);
}

static void on_socket(struct ev_loop *ev, ev_io *watcher, int events)
{
    (void)ev;
    struct resolver_socket *socket = watcher->data;
    struct resolver *resolver = socket->resolver;
    int fd = watcher->fd; /* the socket may be gone inside the call */
    ares_process_fd(resolver->channel, (events & EV_READ) != 0 ? fd : ARES_SOCKET_BAD,
                    (events & EV_WRITE) != 0 ? fd : ARES_SOCKET_BAD);
    set_timer(resolver);
}

static struct resolver_socket *find_socket(struct resolver *resolver, int fd)
{
    for (struct list *at = resolver->sockets.next; at != &resolver->sockets; at = at->next) {
        struct resolver_socket *socket = LIST_ENTRY(at, struct resolver_socket, node);
        if (socket->io.fd == fd)
            return socket;
    }
    return NULL;
}

static struct resolver_socket *socket_new(struct resolver *resolver)
{
    struct resolver_socket *socket = memory_zalloc(sizeof(*socket));
    socket->resolver = resolver;
    list_append(&resolver->sockets, &socket->node);
    ev_init(&socket->io, on_socket);
    socket->io.data = socket;
    return socket;
}

static void on_socket_state(void *data, ares_socket_t fd, int readable, int writable)
{
    struct resolver *resolver = data;
    struct resolver_socket *socket = find_socket(resolver, fd);
    if (socket == NULL && (readable || writable))
        socket = socket_new(resolver);
    if (socket == NULL)
        return;
    ev_io_stop(resolver->loop->ev, &socket->io);
    if (!readable && !writable) {
        list_remove(&socket->node);
        free(socket);
        return;
    }
    ev_io_set(&socket->io, fd, (readable ? EV_READ : 0) | (writable ? EV_WRITE : 0));
    ev_io_start(resolver->loop->ev, &socket->io);
}

/* --- answers --------------------------------------------------------------------------------- */

static bool ip_of(const struct sockaddr *address, struct ip_address *ret_ip)
{
    struct address copy = {.length = 0};
    if (address->sa_family == AF_INET)
        memcpy(&copy.socket.v4, address, sizeof(copy.socket.v4));
    else if (address->sa_family == AF_INET6)
        memcpy(&copy.socket.v6, address, sizeof(copy.socket.v6));
    else
        return false;
    *ret_ip = address_ip(&copy);
    return true;
}

/* Where an address stands, or would stand, among those that are sorted already. */
static uint32_t place_of(const struct resolver_answer *answer, const struct ip_address *ip)
{
    uint32_t low = 0;
    uint32_t high = answer->count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (memcmp(&answer->addresses[middle], ip, sizeof(*ip)) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Sorted, so that the same addresses in another order are the same answer, and that of too many
 * everybody leaves out the same ones. `addresses` are those of `answer`. */
static void add_address(struct ip_address *addresses, struct resolver_answer *answer,
                        const struct ip_address *ip)
{
    uint32_t place = place_of(answer, ip);
    if (place < answer->count && memcmp(&addresses[place], ip, sizeof(*ip)) == 0)
        return;
    answer->more = answer->more || answer->count == RESOLVER_ADDRESSES_MAX;
    if (place == RESOLVER_ADDRESSES_MAX)
        return;
    if (answer->count < RESOLVER_ADDRESSES_MAX)
        answer->count++;
    memmove(&addresses[place + 1], &addresses[place],
            (answer->count - place - 1) * sizeof(*addresses));
    addresses[place] = *ip;
}

static void lower_ttl(struct resolver_answer *answer, int ttl_s)
{
    uint32_t seconds = ttl_s > 0 ? (uint32_t)ttl_s : 0;
    if (seconds < answer->ttl_s)
        answer->ttl_s = seconds;
}

static void collect(const struct ares_addrinfo *result, struct ip_address *addresses,
                    struct resolver_answer *answer)
{
    for (const struct ares_addrinfo_cname *alias = result->cnames; alias; alias = alias->next)
        lower_ttl(answer, alias->ttl);
    for (const struct ares_addrinfo_node *node = result->nodes; node; node = node->ai_next) {
        struct ip_address ip;
        if (!ip_of(node->ai_addr, &ip))
            continue;
        lower_ttl(answer, node->ai_ttl);
        add_address(addresses, answer, &ip);
    }
}

static void on_addresses(void *argument, int status, int timeouts, struct ares_addrinfo *result)
{
    (void)timeouts;
    struct question *question = argument;
    struct ip_address addresses[RESOLVER_ADDRESSES_MAX];
    struct resolver_answer answer = {.addresses = addresses, .ttl_s = UINT32_MAX};
    if (status != ARES_SUCCESS)
        answer.problem = ares_strerror(status);
    else
        collect(result, addresses, &answer);
    if (answer.problem == NULL && answer.count == 0)
        answer.problem = "the name has no addresses";
    ares_freeaddrinfo(result);
    if (status != ARES_EDESTRUCTION)
        question->on_answer(question->owner, &answer);
    free(question);
}

void resolver_ask(struct resolver *resolver, const char *host, resolver_event *on_answer,
                  void *owner)
{
    struct question *question = memory_alloc(sizeof(*question));
    *question = (struct question){on_answer, owner};
    const struct ares_addrinfo_hints hints = {
        .ai_flags = ARES_AI_NOSORT, .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    ares_getaddrinfo(resolver->channel, host, NULL, &hints, on_addresses, question);
    set_timer(resolver);
}

/* --- life ------------------------------------------------------------------------------------ */

static bool use_server(struct resolver *resolver, const struct address *server, struct fault *fault)
{
    char text[ADDRESS_TEXT_BYTES];
    address_format(server, text);
    int status = ares_set_servers_ports_csv(resolver->channel, text);
    return status == ARES_SUCCESS
               ? true
               : fault_set(fault, "cannot ask the resolver %s: %s", text, ares_strerror(status));
}

struct resolver *resolver_new(struct loop *loop, const struct address *server, struct fault *fault)
{
    struct resolver *resolver = memory_zalloc(sizeof(*resolver));
    struct ares_options options = {
        .timeout = TRY_MS,
        .tries = TRIES,
        .sock_state_cb = on_socket_state,
        .sock_state_cb_data = resolver,
        .lookups = (char *)(uintptr_t) "b",
        .flags = ARES_FLAG_NOSEARCH,
    };
    int mask = ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB;
    if (server != NULL)
        mask |= ARES_OPT_LOOKUPS | ARES_OPT_FLAGS;
    resolver->loop = loop;
    list_init(&resolver->sockets);
    ev_init(&resolver->timer, on_timer);
    resolver->timer.data = resolver;
    CHECK(ares_library_init(ARES_LIB_INIT_ALL) == ARES_SUCCESS);
    int status = ares_init_options(&resolver->channel, &options, mask);
    if (status != ARES_SUCCESS) {
        fault_set(fault, "cannot set up the resolver: %s", ares_strerror(status));
        ares_library_cleanup();
        free(resolver);
        return NULL;
    }
    if (server == NULL || use_server(resolver, server, fault))
        return resolver;
    resolver_free(resolver);
    return NULL;
}

void resolver_free(struct resolver *resolver)
{
    if (resolver == NULL)
        return;
    ares_destroy(resolver->channel);
    ares_library_cleanup();
    ev_timer_stop(resolver->loop->ev, &resolver->timer);
    free(resolver);
}
