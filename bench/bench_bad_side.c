/*
 * A side that no copy should be sent to, on 127.0.0.1, one process, one thread, as fast as it can:
 *
 *   bench_bad_side PORT silent|late|resets|floods|garbage
 *
 * silent reads and never answers; late answers after 30 s; resets ends each connection by a reset
 * when a request has come; floods promises 1 GiB and sends it; garbage answers no HTTP. It only
 * runs when nothing else wants its core, so that what it does by itself is no load of the others
 * there.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    SOCKETS_MAX = 65536,
    EVENTS_A_TURN = 256,
    LATE_S = 30,
    FLOOD_BYTES = 1 << 30,
    PIECE_BYTES = 256 * 1024,
};

enum manner { SILENT, LATE, RESETS, FLOODS, GARBAGE, MANNER_COUNT };

static const char *const manners[MANNER_COUNT] = {"silent", "late", "resets", "floods", "garbage"};

/* By socket: when its answer is due (late), or how much of it is left (floods). */
struct connection {
    bool open;
    bool asked;
    time_t due;
    uint64_t left;
};

static struct connection connections[SOCKETS_MAX];
static char piece[PIECE_BYTES];
static const char flood_head[] = "HTTP/1.1 200 OK\r\ncontent-length: 1073741824\r\n\r\n";
static const char late_answer[] = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
static const char garbage[] = "\x01\x02 no HTTP at all\r\n\r\n\xff\xfe";

static void fail(const char *what)
{
    fprintf(stderr, "bench_bad_side: %s: %s\n", what, strerror(errno));
    exit(1);
}

static time_t now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

static void connection_close(int sock)
{
    connections[sock] = (struct connection){.open = false};
    close(sock);
}

static void connection_reset(int sock)
{
    struct linger none = {.l_onoff = 1, .l_linger = 0};
    setsockopt(sock, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
    connection_close(sock);
}

static void flood(int epoll, int sock)
{
    struct connection *connection = &connections[sock];
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT, .data.fd = sock};
    while (connection->left > 0) {
        size_t bytes = connection->left < sizeof(piece) ? connection->left : sizeof(piece);
        ssize_t sent = send(sock, piece, bytes, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && errno == EAGAIN) {
            epoll_ctl(epoll, EPOLL_CTL_MOD, sock, &event);
            return;
        }
        if (sent < 0) {
            connection_close(sock);
            return;
        }
        connection->left -= (uint64_t)sent;
    }
}

/* A request has come; one read is one request, as small as they are. */
static void answer(enum manner manner, int epoll, int sock)
{
    struct connection *connection = &connections[sock];
    switch (manner) {
    case SILENT:
        break;
    case LATE:
        connection->due = now_s() + LATE_S;
        break;
    case RESETS:
        connection_reset(sock);
        break;
    case FLOODS:
        if (connection->asked)
            return;
        connection->asked = true;
        connection->left = FLOOD_BYTES;
        if (send(sock, flood_head, strlen(flood_head), MSG_NOSIGNAL) < 0)
            connection_close(sock);
        else
            flood(epoll, sock);
        break;
    case GARBAGE:
        if (send(sock, garbage, strlen(garbage), MSG_NOSIGNAL) < 0)
            connection_close(sock);
        break;
    case MANNER_COUNT:
        break;
    }
}

static void on_input(enum manner manner, int epoll, int sock)
{
    char data[65536];
    ssize_t got = recv(sock, data, sizeof(data), MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN)
        return;
    if (got <= 0)
        connection_close(sock);
    else
        answer(manner, epoll, sock);
}

static void answer_late_ones(void)
{
    time_t now = now_s();
    for (int sock = 0; sock < SOCKETS_MAX; sock++) {
        struct connection *connection = &connections[sock];
        if (!connection->open || connection->due == 0 || connection->due > now)
            continue;
        connection->due = 0;
        if (send(sock, late_answer, strlen(late_answer), MSG_NOSIGNAL) < 0)
            connection_close(sock);
    }
}

static void accept_all(int epoll, int listener)
{
    int sock;
    while ((sock = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
        struct epoll_event event = {.events = EPOLLIN, .data.fd = sock};
        if (sock >= SOCKETS_MAX) {
            close(sock);
            continue;
        }
        connections[sock] = (struct connection){.open = true};
        epoll_ctl(epoll, EPOLL_CTL_ADD, sock, &event);
    }
}

static void run(enum manner manner, int epoll, int listener)
{
    struct epoll_event events[EVENTS_A_TURN];
    for (;;) {
        int count = epoll_wait(epoll, events, EVENTS_A_TURN, 1000);
        for (int i = 0; i < count; i++) {
            int sock = events[i].data.fd;
            if (sock == listener)
                accept_all(epoll, listener);
            if (sock != listener && (events[i].events & EPOLLOUT) != 0)
                flood(epoll, sock);
            if (sock != listener && connections[sock].open && (events[i].events & EPOLLIN) != 0)
                on_input(manner, epoll, sock);
            else if (connections[sock].open && (events[i].events & (EPOLLERR | EPOLLHUP)) != 0)
                connection_close(sock);
        }
        if (manner == LATE)
            answer_late_ones();
    }
}

static int listen_on(uint16_t port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int on = 1;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (listener < 0)
        fail("socket");
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(listener, (struct sockaddr *)&address, sizeof(address)) != 0 ||
        listen(listener, 4096) != 0)
        fail("listen");
    return listener;
}

int main(int argc, char **argv)
{
    enum manner manner = SILENT;
    struct rlimit limit;
    struct sched_param none = {.sched_priority = 0};
    while (argc == 3 && manner < MANNER_COUNT && strcmp(argv[2], manners[manner]) != 0)
        manner++;
    if (argc != 3 || manner == MANNER_COUNT) {
        fputs("usage: bench_bad_side PORT silent|late|resets|floods|garbage\n", stderr);
        return 2;
    }
    if (sched_setscheduler(0, SCHED_IDLE, &none) != 0)
        fail("priority");
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    int listener = listen_on((uint16_t)strtoul(argv[1], NULL, 10));
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listener};
    if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event) != 0)
        fail("epoll");
    run(manner, epoll, listener);
}
