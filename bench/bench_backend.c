/*
 * The backend of the measurements: HTTP/1.1 with keep-alive on 127.0.0.1, one process, one thread.
 * It is meant to cost as little as a server can, so that the proxy before it is what is measured:
 * answers are made once at start, and a request is read only as far as its framing asks.
 *
 *   bench_backend PORT        (0: any free port)
 *
 * /100, /16k, /1m and /copied/100 answer that many bytes to every method; request bodies with a
 * length or chunked are read and dropped. Prints "ready ADDRESS" once it listens.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    INPUT_BYTES = 65536, /* also the limit of a request head */
    EVENTS_A_TURN = 256,
    LISTEN_BACKLOG = 4096,
};

enum request_part {
    PART_HEAD,
    PART_LENGTH_BODY, /* body_left bytes to come */
    PART_CHUNK_LINE,
    PART_CHUNK_DATA, /* body_left bytes to come, the line end behind the data included */
    PART_TRAILERS,
    PART_ANSWER, /* the request is complete */
};

struct answer {
    const char *path;
    size_t body_bytes;
    char *text;
    size_t head_bytes;
    size_t bytes;
};

struct connection {
    int socket;
    enum request_part part;
    uint64_t body_left;
    const struct answer *answer;
    bool is_head_request;
    bool waits_for_room; /* an answer is only partly written */
    size_t written;      /* of the current answer */
    size_t input_bytes;
    char input[INPUT_BYTES];
};

static struct answer answers[] = {
    {.path = "/100", .body_bytes = 100},
    {.path = "/16k", .body_bytes = 16 * 1024},
    {.path = "/1m", .body_bytes = 1024 * 1024},
    {.path = "/copied/100", .body_bytes = 100},
    {.path = "", .body_bytes = 0}, /* everything else: 404 */
};
enum { ANSWER_COUNT = sizeof(answers) / sizeof(answers[0]) };

static void fail(const char *what)
{
    fprintf(stderr, "bench_backend: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void answers_make(void)
{
    for (size_t i = 0; i < ANSWER_COUNT; i++) {
        struct answer *answer = &answers[i];
        char head[256];
        int length =
            snprintf(head, sizeof head,
                     "HTTP/1.1 %s\r\nContent-Type: application/octet-stream\r\n"
                     "Content-Length: %zu\r\n\r\n",
                     answer->path[0] != '\0' ? "200 OK" : "404 Not Found", answer->body_bytes);
        answer->head_bytes = (size_t)length;
        answer->bytes = answer->head_bytes + answer->body_bytes;
        answer->text = malloc(answer->bytes);
        if (answer->text == NULL) {
            fail("answers");
        }
        memcpy(answer->text, head, answer->head_bytes);
        memset(answer->text + answer->head_bytes, 'x', answer->body_bytes);
    }
}

static const struct answer *answer_for(const char *path, size_t path_bytes)
{
    size_t i = 0;
    while (i < ANSWER_COUNT - 1 && (strlen(answers[i].path) != path_bytes ||
                                    memcmp(answers[i].path, path, path_bytes) != 0)) {
        i++;
    }
    return &answers[i];
}

static bool line_begins(const char *line, const char *end, const char *name)
{
    size_t bytes = strlen(name);
    return (size_t)(end - line) >= bytes && strncasecmp(line, name, bytes) == 0;
}

/* Field lines decide how the body is framed; anything but these two does not matter here. */
static void read_framing(struct connection *connection, const char *line, const char *end)
{
    connection->part = PART_ANSWER;
    while (line < end) {
        const char *next = memchr(line, '\n', (size_t)(end - line));
        next = next != NULL ? next + 1 : end;
        if (line_begins(line, next, "content-length:")) {
            connection->body_left = strtoull(line + strlen("content-length:"), NULL, 10);
            connection->part = connection->body_left > 0 ? PART_LENGTH_BODY : PART_ANSWER;
        } else if (line_begins(line, next, "transfer-encoding: chunked")) {
            connection->part = PART_CHUNK_LINE;
        }
        line = next;
    }
}

/* How many bytes of the input the head took; 0: incomplete, -1: not HTTP. */
static ssize_t read_head(struct connection *connection)
{
    const char *input = connection->input;
    const char *end = memmem(input, connection->input_bytes, "\r\n\r\n", 4);
    if (end == NULL) {
        return connection->input_bytes == INPUT_BYTES ? -1 : 0;
    }
    end += 4;
    const char *line_end = memchr(input, '\n', (size_t)(end - input));
    const char *path = memchr(input, ' ', (size_t)(line_end - input));
    const char *path_end =
        path != NULL ? memchr(path + 1, ' ', (size_t)(line_end - path - 1)) : NULL;
    if (path_end == NULL) {
        return -1;
    }
    connection->is_head_request = path - input == 4 && memcmp(input, "HEAD", 4) == 0;
    connection->answer = answer_for(path + 1, (size_t)(path_end - path - 1));
    read_framing(connection, line_end + 1, end);
    return end - input;
}

static ssize_t skip_body(struct connection *connection, enum request_part then)
{
    size_t bytes = connection->input_bytes;
    if (bytes > connection->body_left) {
        bytes = (size_t)connection->body_left;
    }
    connection->body_left -= bytes;
    if (connection->body_left == 0) {
        connection->part = then;
    }
    return (ssize_t)bytes;
}

static ssize_t read_chunk_line(struct connection *connection)
{
    const char *end = memchr(connection->input, '\n', connection->input_bytes);
    if (end == NULL) {
        return connection->input_bytes == INPUT_BYTES ? -1 : 0;
    }
    uint64_t chunk_bytes = strtoull(connection->input, NULL, 16);
    connection->body_left = chunk_bytes + 2;
    connection->part = chunk_bytes > 0 ? PART_CHUNK_DATA : PART_TRAILERS;
    return end + 1 - connection->input;
}

static ssize_t read_trailer_line(struct connection *connection)
{
    const char *end = memchr(connection->input, '\n', connection->input_bytes);
    if (end == NULL) {
        return connection->input_bytes == INPUT_BYTES ? -1 : 0;
    }
    if (end - connection->input <= 1) {
        connection->part = PART_ANSWER;
    }
    return end + 1 - connection->input;
}

static ssize_t read_part(struct connection *connection)
{
    switch (connection->part) {
    case PART_HEAD:
        return read_head(connection);
    case PART_LENGTH_BODY:
        return skip_body(connection, PART_ANSWER);
    case PART_CHUNK_LINE:
        return read_chunk_line(connection);
    case PART_CHUNK_DATA:
        return skip_body(connection, PART_CHUNK_LINE);
    case PART_TRAILERS:
        return read_trailer_line(connection);
    case PART_ANSWER:
        return 0;
    }
    return -1;
}

/* False: the connection is broken. Sets waits_for_room when the socket took only a part. */
static bool write_answer(struct connection *connection)
{
    const struct answer *answer = connection->answer;
    size_t bytes = connection->is_head_request ? answer->head_bytes : answer->bytes;
    while (connection->written < bytes) {
        ssize_t sent = send(connection->socket, answer->text + connection->written,
                            bytes - connection->written, MSG_NOSIGNAL);
        if (sent < 0) {
            connection->waits_for_room = errno == EAGAIN;
            return connection->waits_for_room;
        }
        connection->written += (size_t)sent;
    }
    connection->waits_for_room = false;
    connection->written = 0;
    connection->part = PART_HEAD;
    return true;
}

static bool serve_input(struct connection *connection)
{
    for (;;) {
        if (connection->part == PART_ANSWER) {
            if (!write_answer(connection)) {
                return false;
            }
            if (connection->waits_for_room) {
                return true;
            }
        }
        ssize_t taken = connection->input_bytes > 0 ? read_part(connection) : 0;
        if (taken <= 0) {
            return taken == 0;
        }
        connection->input_bytes -= (size_t)taken;
        memmove(connection->input, connection->input + taken, connection->input_bytes);
    }
}

static bool receive(struct connection *connection)
{
    ssize_t received = recv(connection->socket, connection->input + connection->input_bytes,
                            INPUT_BYTES - connection->input_bytes, 0);
    if (received <= 0) {
        return received < 0 && errno == EAGAIN;
    }
    connection->input_bytes += (size_t)received;
    return true;
}

static void watch(int epoll, int operation, struct connection *connection)
{
    struct epoll_event event = {
        .events = connection->waits_for_room ? EPOLLOUT : EPOLLIN,
        .data.ptr = connection,
    };
    if (epoll_ctl(epoll, operation, connection->socket, &event) != 0) {
        fail("epoll_ctl");
    }
}

static void on_event(int epoll, struct connection *connection)
{
    bool waited = connection->waits_for_room;
    bool is_alive = (waited || receive(connection)) && serve_input(connection);
    if (!is_alive) {
        close(connection->socket);
        free(connection);
    } else if (waited != connection->waits_for_room) {
        watch(epoll, EPOLL_CTL_MOD, connection);
    }
}

static void accept_all(int epoll, int listener)
{
    int socket;
    while ((socket = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        int on = 1;
        setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        struct connection *connection = calloc(1, sizeof *connection);
        if (connection == NULL) {
            fail("connection");
        }
        connection->socket = socket;
        watch(epoll, EPOLL_CTL_ADD, connection);
    }
}

static int listen_on(uint16_t port)
{
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int on = 1;
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons(port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    socklen_t bytes = sizeof address;
    if (listener < 0 || setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        bind(listener, (struct sockaddr *)&address, bytes) != 0 ||
        listen(listener, LISTEN_BACKLOG) != 0 ||
        getsockname(listener, (struct sockaddr *)&address, &bytes) != 0) {
        fail("listen");
    }
    printf("ready 127.0.0.1:%u\n", ntohs(address.sin_port));
    fflush(stdout);
    return listener;
}

static void serve(int epoll, int listener)
{
    struct epoll_event events[EVENTS_A_TURN];
    for (;;) {
        int count = epoll_wait(epoll, events, EVENTS_A_TURN, -1);
        if (count < 0 && errno != EINTR) {
            fail("epoll_wait");
        }
        for (int i = 0; i < count; i++) {
            if (events[i].data.ptr == NULL) {
                accept_all(epoll, listener);
            } else {
                on_event(epoll, events[i].data.ptr);
            }
        }
    }
}

int main(int argc, char **argv)
{
    char *end = NULL;
    unsigned long port = argc == 2 ? strtoul(argv[1], &end, 10) : UINT16_MAX + 1UL;
    if (port > UINT16_MAX || end == argv[1] || *end != '\0') {
        fprintf(stderr, "usage: bench_backend PORT\n");
        return 2;
    }
    answers_make();
    int listener = listen_on((uint16_t)port);
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event) != 0) {
        fail("epoll");
    }
    serve(epoll, listener);
    return 0;
}
