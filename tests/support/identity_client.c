/*
 * identity_client PORT IDENTITIES CONNECTIONS [PATH]
 *
 * Many people at a proxy on 127.0.0.1, over a few h2c connections that stay open. Each line on
 * standard input is a round: everybody asks once more, with the cookie that an index makes. A round
 * prints for each identity "INDEX SIDE", where SIDE is the answer's field x-side, and in the end
 * "done ERRORS". The end of input is the end of the program.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <nghttp2/nghttp2.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    CONNECTIONS_MAX = 64,
    IDENTITIES_MAX = 1000000,
    STREAMS_MAX = 50, /* at once on a connection */
    SIDE_BYTES = 16,
    POLL_MS = 30000,
};

struct person {
    uint32_t index;
    int status;
    char side[SIDE_BYTES];
};

struct connection {
    int fd;
    nghttp2_session *session;
    struct person *people; /* those who ask over this connection */
    uint32_t count;
    uint32_t asked;
    uint32_t answered;
};

static const char *path = "/";

static int fail(const char *what)
{
    fprintf(stderr, "identity_client: %s: %s\n", what, strerror(errno));
    return 1;
}

/* --- events of nghttp2 --------------------------------------------------------------------- */

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_length, const uint8_t *value, size_t value_length, uint8_t flags,
                     void *user_data)
{
    (void)flags, (void)user_data;
    struct person *person = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
    if (person == NULL)
        return 0;
    if (name_length == 7 && memcmp(name, ":status", 7) == 0)
        person->status = (int)strtol((const char *)value, NULL, 10);
    if (name_length == 6 && memcmp(name, "x-side", 6) == 0 && value_length < SIDE_BYTES) {
        memcpy(person->side, value, value_length);
        person->side[value_length] = '\0';
    }
    return 0;
}

static int on_stream_close(nghttp2_session *session, int32_t id, uint32_t error_code,
                           void *user_data)
{
    struct connection *connection = user_data;
    struct person *person = nghttp2_session_get_stream_user_data(session, id);
    if (person != NULL && error_code != NGHTTP2_NO_ERROR)
        person->status = 0;
    connection->answered++;
    return 0;
}

static ssize_t on_send(nghttp2_session *session, const uint8_t *data, size_t length, int flags,
                       void *user_data)
{
    (void)session, (void)flags;
    struct connection *connection = user_data;
    ssize_t sent = send(connection->fd, data, length, MSG_NOSIGNAL);
    if (sent >= 0)
        return sent;
    return errno == EAGAIN ? NGHTTP2_ERR_WOULDBLOCK : NGHTTP2_ERR_CALLBACK_FAILURE;
}

/* --- connections --------------------------------------------------------------------------- */

static bool session_start(struct connection *connection)
{
    nghttp2_session_callbacks *callbacks;
    if (nghttp2_session_callbacks_new(&callbacks) != 0)
        return false;
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
    nghttp2_session_callbacks_set_send_callback(callbacks, on_send);
    int result = nghttp2_session_client_new(&connection->session, callbacks, connection);
    nghttp2_session_callbacks_del(callbacks);
    return result == 0 &&
           nghttp2_submit_settings(connection->session, NGHTTP2_FLAG_NONE, NULL, 0) == 0;
}

static bool connection_open(struct connection *connection, uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connection->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connection->fd < 0 ||
        connect(connection->fd, (struct sockaddr *)&address, sizeof(address)) != 0)
        return false;
    int on = 1;
    setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    return fcntl(connection->fd, F_SETFL, O_NONBLOCK) == 0 && session_start(connection);
}

static nghttp2_nv field_of(const char *name, const char *value)
{
    return (nghttp2_nv){
        .name = (uint8_t *)(uintptr_t)name,
        .value = (uint8_t *)(uintptr_t)value,
        .namelen = strlen(name),
        .valuelen = strlen(value),
    };
}

static bool ask(struct connection *connection, struct person *person)
{
    char cookie[64];
    snprintf(cookie, sizeof(cookie), "strangler_id=%032x", person->index);
    const nghttp2_nv fields[] = {
        field_of(":method", "GET"),          field_of(":scheme", "http"), field_of(":path", path),
        field_of(":authority", "localhost"), field_of("cookie", cookie),
    };
    person->status = 0;
    person->side[0] = '\0';
    return nghttp2_submit_request(connection->session, NULL, fields,
                                  sizeof(fields) / sizeof(fields[0]), NULL, person) > 0;
}

/* Asks as much as may be under way at once, and writes it. */
static bool connection_send(struct connection *connection)
{
    while (connection->asked < connection->count &&
           connection->asked - connection->answered < STREAMS_MAX) {
        if (!ask(connection, &connection->people[connection->asked]))
            return false;
        connection->asked++;
    }
    return nghttp2_session_send(connection->session) == 0;
}

static bool connection_receive(struct connection *connection)
{
    uint8_t bytes[65536];
    ssize_t length = recv(connection->fd, bytes, sizeof(bytes), 0);
    if (length < 0)
        return errno == EAGAIN;
    return length > 0 &&
           nghttp2_session_mem_recv(connection->session, bytes, (size_t)length) == length;
}

/* --- rounds -------------------------------------------------------------------------------- */

static bool is_over(const struct connection *connections, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (connections[i].answered < connections[i].count)
            return false;
    }
    return true;
}

static bool run_round(struct connection *connections, uint32_t count)
{
    struct pollfd polls[CONNECTIONS_MAX];
    for (uint32_t i = 0; i < count; i++)
        connections[i].asked = connections[i].answered = 0;
    while (!is_over(connections, count)) {
        for (uint32_t i = 0; i < count; i++) {
            if (!connection_send(&connections[i]))
                return false;
            bool writes = nghttp2_session_want_write(connections[i].session) != 0;
            polls[i] = (struct pollfd){
                .fd = connections[i].fd,
                .events = (short)(writes ? POLLIN | POLLOUT : POLLIN),
            };
        }
        if (poll(polls, count, POLL_MS) <= 0)
            return false;
        for (uint32_t i = 0; i < count; i++) {
            if ((polls[i].revents & (POLLIN | POLLHUP | POLLERR)) != 0 &&
                !connection_receive(&connections[i]))
                return false;
        }
    }
    return true;
}

static void print_round(const struct person *people, uint32_t count)
{
    uint32_t errors = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (people[i].status != 200 || people[i].side[0] == '\0')
            errors++;
        else
            printf("%u %s\n", people[i].index, people[i].side);
    }
    printf("done %u\n", errors);
    fflush(stdout);
}

static void share_out(struct connection *connections, uint32_t connection_count,
                      struct person *people, uint32_t count)
{
    uint32_t at = 0;
    for (uint32_t i = 0; i < connection_count; i++) {
        uint32_t end = (uint32_t)((uint64_t)count * (i + 1) / connection_count);
        connections[i].people = people + at;
        connections[i].count = end - at;
        at = end;
    }
}

static bool read_number(const char *text, uint32_t max, uint32_t *ret_number)
{
    char *end = NULL;
    unsigned long number = strtoul(text, &end, 10);
    if (*text == '\0' || *end != '\0' || number == 0 || number > max)
        return false;
    *ret_number = (uint32_t)number;
    return true;
}

int main(int argc, char **argv)
{
    static struct connection connections[CONNECTIONS_MAX];
    uint32_t port = 0;
    uint32_t count = 0;
    uint32_t connection_count = 0;
    if (argc < 4 || !read_number(argv[1], UINT16_MAX, &port) ||
        !read_number(argv[2], IDENTITIES_MAX, &count) ||
        !read_number(argv[3], CONNECTIONS_MAX, &connection_count)) {
        fprintf(stderr, "usage: identity_client PORT IDENTITIES CONNECTIONS [PATH]\n");
        return 2;
    }
    if (argc > 4)
        path = argv[4];
    struct person *people = calloc(count, sizeof(*people));
    if (people == NULL)
        return fail("memory");
    for (uint32_t i = 0; i < count; i++)
        people[i].index = i;
    share_out(connections, connection_count, people, count);
    for (uint32_t i = 0; i < connection_count; i++) {
        if (!connection_open(&connections[i], (uint16_t)port))
            return fail("connect");
    }
    char line[64];
    while (fgets(line, sizeof(line), stdin) != NULL) {
        if (!run_round(connections, connection_count))
            return fail("the proxy has closed a connection or fallen silent");
        print_round(people, count);
    }
    for (uint32_t i = 0; i < connection_count; i++) {
        nghttp2_session_del(connections[i].session);
        close(connections[i].fd);
    }
    free(people);
    return 0;
}
