/*
 * An open loop: GET requests over HTTP/2 without TLS that are due at random times of a fixed rate,
 * whether or not those before them were answered. A request's time is counted from when it was due,
 * so a proxy that stands still is charged for all that it let wait.
 *
 *   bench_load PORT PATH RATE SECONDS [NAME VALUE]
 *
 * Prints "requests N failed N p50 MS p90 MS p99 MS p99.9 MS max MS"; exits 1 when one failed.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <math.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <nghttp2/nghttp2.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    CONNECTIONS = 16,
    PATIENCE_S = 10, /* for answers after the last request */
    FIELDS_MAX = 5,
    NS_A_SECOND = 1000000000,
};

struct request {
    uint64_t due_ns;
    uint64_t took_ns; /* 0: no good answer */
    bool good;        /* its status is 2xx */
};

struct load;

struct connection {
    struct load *load;
    nghttp2_session *session;
    int socket;
    bool waits_for_room;
};

struct load {
    struct connection connections[CONNECTIONS];
    struct request *requests;
    size_t count;
    size_t begun;
    size_t over;
    nghttp2_nv fields[FIELDS_MAX];
    size_t field_count;
    int epoll;
};

static void fail(const char *what)
{
    fprintf(stderr, "bench_load: %s: %s\n", what, strerror(errno));
    exit(1);
}

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * NS_A_SECOND + (uint64_t)now.tv_nsec;
}

/* --- answers ------------------------------------------------------------------------------- */

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_bytes, const uint8_t *value, size_t value_bytes, uint8_t flags,
                     void *user)
{
    struct request *request = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
    (void)flags, (void)user;
    if (request != NULL && name_bytes == 7 && memcmp(name, ":status", 7) == 0)
        request->good = value_bytes == 3 && value[0] == '2';
    return 0;
}

static int on_stream_close(nghttp2_session *session, int32_t stream, uint32_t error, void *user)
{
    struct connection *connection = user;
    struct request *request = nghttp2_session_get_stream_user_data(session, stream);
    if (request == NULL)
        return 0;
    connection->load->over++;
    if (error == NGHTTP2_NO_ERROR && request->good)
        request->took_ns = now_ns() - request->due_ns;
    return 0;
}

static ssize_t on_send(nghttp2_session *session, const uint8_t *data, size_t bytes, int flags,
                       void *user)
{
    struct connection *connection = user;
    (void)session, (void)flags;
    ssize_t sent = send(connection->socket, data, bytes, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        return NGHTTP2_ERR_WOULDBLOCK;
    return sent < 0 ? NGHTTP2_ERR_CALLBACK_FAILURE : sent;
}

/* --- connections --------------------------------------------------------------------------- */

static void connection_flush(struct connection *connection)
{
    if (nghttp2_session_send(connection->session) != 0)
        fail("send");
    bool waits = nghttp2_session_want_write(connection->session) != 0;
    if (waits == connection->waits_for_room)
        return;
    connection->waits_for_room = waits;
    struct epoll_event event = {.events = EPOLLIN | (waits ? EPOLLOUT : 0), .data.ptr = connection};
    epoll_ctl(connection->load->epoll, EPOLL_CTL_MOD, connection->socket, &event);
}

static void connection_read(struct connection *connection)
{
    uint8_t data[65536];
    ssize_t got = recv(connection->socket, data, sizeof(data), 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0 || nghttp2_session_mem_recv(connection->session, data, (size_t)got) < 0)
        fail("the proxy closed a connection");
}

static void connection_open(struct load *load, struct connection *connection, uint16_t port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
    nghttp2_session_callbacks *callbacks;
    int on = 1;
    connection->load = load;
    connection->socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connection->socket < 0 ||
        connect(connection->socket, (struct sockaddr *)&address, sizeof(address)) != 0)
        fail("connect");
    setsockopt(connection->socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (nghttp2_session_callbacks_new(&callbacks) != 0)
        fail("memory");
    nghttp2_session_callbacks_set_send_callback(callbacks, on_send);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
    if (nghttp2_session_client_new(&connection->session, callbacks, connection) != 0)
        fail("memory");
    nghttp2_session_callbacks_del(callbacks);
    nghttp2_submit_settings(connection->session, NGHTTP2_FLAG_NONE, NULL, 0);
    epoll_ctl(load->epoll, EPOLL_CTL_ADD, connection->socket, &event);
}

/* --- the schedule -------------------------------------------------------------------------- */

/* Gaps of an exponential distribution, the same ones in each run: arrivals of many people who do
 * not know of each other. */
static void plan(struct load *load, double rate, uint64_t begin_ns)
{
    uint64_t random = 88172645463325252;
    double at_ns = (double)begin_ns;
    for (size_t i = 0; i < load->count; i++) {
        random ^= random << 13, random ^= random >> 7, random ^= random << 17; /* xorshift64 */
        double share = (double)((random >> 11) + 1) / (double)(UINT64_C(1) << 53);
        at_ns += -log(share) / rate * NS_A_SECOND;
        load->requests[i].due_ns = (uint64_t)at_ns;
    }
}

static void send_due(struct load *load)
{
    bool used[CONNECTIONS] = {false};
    uint64_t now = now_ns();
    while (load->begun < load->count && load->requests[load->begun].due_ns <= now) {
        size_t place = load->begun % CONNECTIONS;
        used[place] = true;
        if (nghttp2_submit_request(load->connections[place].session, NULL, load->fields,
                                   load->field_count, NULL, &load->requests[load->begun]) < 0)
            fail("submit");
        load->begun++;
    }
    for (size_t i = 0; i < CONNECTIONS; i++) {
        if (used[i])
            connection_flush(&load->connections[i]);
    }
}

static void wait_for_events(struct load *load, uint64_t until_ns)
{
    struct epoll_event events[CONNECTIONS];
    uint64_t now = now_ns();
    uint64_t wait = until_ns > now ? until_ns - now : 0;
    struct timespec timeout = {.tv_sec = (time_t)(wait / NS_A_SECOND),
                               .tv_nsec = (long)(wait % NS_A_SECOND)};
    int count = epoll_pwait2(load->epoll, events, CONNECTIONS, &timeout, NULL);
    for (int i = 0; i < count; i++) {
        struct connection *connection = events[i].data.ptr;
        if ((events[i].events & ~(uint32_t)EPOLLOUT) != 0)
            connection_read(connection);
        connection_flush(connection);
    }
}

static void run(struct load *load)
{
    uint64_t end_ns = load->requests[load->count - 1].due_ns + PATIENCE_S * (uint64_t)NS_A_SECOND;
    while (load->over < load->count && now_ns() < end_ns) {
        send_due(load);
        wait_for_events(load,
                        load->begun < load->count ? load->requests[load->begun].due_ns : end_ns);
    }
}

/* --- the result ---------------------------------------------------------------------------- */

static int compare_times(const void *a, const void *b)
{
    uint64_t left = ((const struct request *)a)->took_ns;
    uint64_t right = ((const struct request *)b)->took_ns;
    return (left > right) - (left < right);
}

static double quantile_ms(const struct load *load, size_t failed, double share)
{
    size_t place = failed + (size_t)((double)(load->count - failed) * share);
    if (failed == load->count)
        return 0;
    return (double)load->requests[place < load->count ? place : load->count - 1].took_ns / 1e6;
}

static bool report(struct load *load)
{
    size_t failed = 0;
    for (size_t i = 0; i < load->count; i++)
        failed += load->requests[i].took_ns == 0 ? 1 : 0;
    qsort(load->requests, load->count, sizeof(load->requests[0]), compare_times);
    printf("requests %zu failed %zu p50 %.3f p90 %.3f p99 %.3f p99.9 %.3f max %.3f\n", load->count,
           failed, quantile_ms(load, failed, 0.5), quantile_ms(load, failed, 0.9),
           quantile_ms(load, failed, 0.99), quantile_ms(load, failed, 0.999),
           quantile_ms(load, failed, 1));
    return failed == 0;
}

static void add_field(struct load *load, const char *name, const char *value)
{
    load->fields[load->field_count++] = (nghttp2_nv){.name = (uint8_t *)(uintptr_t)name,
                                                     .value = (uint8_t *)(uintptr_t)value,
                                                     .namelen = strlen(name),
                                                     .valuelen = strlen(value)};
}

int main(int argc, char **argv)
{
    static struct load load;
    if (argc != 5 && argc != 7) {
        fputs("usage: bench_load PORT PATH RATE SECONDS [NAME VALUE]\n", stderr);
        return 2;
    }
    double rate = strtod(argv[3], NULL);
    load.count = (size_t)(rate * strtod(argv[4], NULL));
    load.requests = calloc(load.count + 1, sizeof(load.requests[0]));
    load.epoll = epoll_create1(EPOLL_CLOEXEC);
    if (load.count == 0 || load.requests == NULL || load.epoll < 0)
        fail("start");
    prctl(PR_SET_TIMERSLACK, 1000UL, 0, 0, 0);
    add_field(&load, ":method", "GET");
    add_field(&load, ":scheme", "http");
    add_field(&load, ":authority", "bench");
    add_field(&load, ":path", argv[2]);
    if (argc == 7)
        add_field(&load, argv[5], argv[6]);
    for (size_t i = 0; i < CONNECTIONS; i++)
        connection_open(&load, &load.connections[i], (uint16_t)strtoul(argv[1], NULL, 10));
    plan(&load, rate, now_ns() + NS_A_SECOND / 20);
    run(&load);
    return report(&load) ? 0 : 1;
}
