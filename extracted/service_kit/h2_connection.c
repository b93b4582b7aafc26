#include "extracted/service_kit/h2_connection.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LEFT_OVER_LIMIT = 16 * 1024 * 1024 };

bool h2_connection_init(struct h2_connection *connection, int take_socket,
                        const struct h2_turn *turn, struct h2_rooms *rooms)
{
    *connection =
        (struct h2_connection){.socket = take_socket, .rooms = rooms, .moved_at = turn->now};
    if (!h2_session_init(&connection->session, turn))
        return false;
    body_text_init(&connection->left_over, LEFT_OVER_LIMIT);
    return true;
}

void h2_connection_done(struct h2_connection *connection)
{
    h2_session_done(&connection->session);
    body_text_done(&connection->left_over);
    close(connection->socket);
}

static double now(const struct h2_connection *connection)
{
    return connection->session.turn->now;
}

static bool is_transient(int fault)
{
    return fault == EAGAIN || fault == EWOULDBLOCK || fault == EINTR;
}

void h2_connection_receive(struct h2_connection *connection)
{
    uint8_t *room = connection->rooms->read;
    ssize_t length = recv(connection->socket, room, H2_READ_BYTES, 0);
    if (length < 0 && is_transient(errno))
        return;
    if (length > 0 && connection->is_lingering)
        return;
    if (length <= 0 || !h2_session_receive(&connection->session, room, (size_t)length)) {
        connection->is_broken = true;
        return;
    }
    connection->has_received = true;
    connection->moved_at = now(connection);
}

/* Returns how many bytes the socket took; 0 also if it takes none now. */
static size_t write_some(struct h2_connection *connection, const char *bytes, size_t length)
{
    if (length == 0)
        return 0;
    ssize_t sent = send(connection->socket, bytes, length, MSG_NOSIGNAL);
    if (sent < 0) {
        connection->is_broken = !is_transient(errno);
        return 0;
    }
    connection->moved_at = now(connection);
    return (size_t)sent;
}

static void write_left_over(struct h2_connection *connection)
{
    struct body_text *left = &connection->left_over;
    connection->left_over_sent += write_some(connection, left->bytes + connection->left_over_sent,
                                             left->length - connection->left_over_sent);
    if (connection->left_over_sent < left->length)
        return;
    body_text_done(left);
    connection->left_over_sent = 0;
}

static void write_new(struct h2_connection *connection)
{
    struct body_text *out = &connection->rooms->write;
    body_text_clear(out);
    if (!h2_session_send(&connection->session, out, H2_WRITE_BYTES)) {
        connection->is_broken = true;
        return;
    }
    size_t sent = write_some(connection, out->bytes, out->length);
    body_text_add(&connection->left_over, out->bytes + sent, out->length - sent);
}

/* Closing with input unread makes TCP throw away what the client has not read yet, such as the
 * GOAWAY that says what was wrong (RFC 9112 section 9.6 on the same in HTTP/1.1). */
static enum h2_progress end_session(struct h2_connection *connection)
{
    if (connection->session.goodbye == H2_GOODBYE_SAID)
        return H2_OVER;
    if (shutdown(connection->socket, SHUT_WR) != 0)
        return H2_OVER;
    connection->is_lingering = true;
    connection->lingers_since = now(connection);
    return H2_WAITS;
}

enum h2_progress h2_connection_flush(struct h2_connection *connection)
{
    if (connection->is_lingering)
        return connection->is_broken ? H2_OVER : H2_WAITS;
    if (!connection->is_broken) {
        if (connection->left_over.length > 0)
            write_left_over(connection);
        else
            write_new(connection);
    }
    if (connection->is_broken || connection->left_over.overflowed)
        return H2_OVER;
    if (connection->left_over.length > 0 || h2_session_wants_send(&connection->session))
        return H2_WANTS_WRITE;
    return h2_session_is_over(&connection->session) ? end_session(connection) : H2_WAITS;
}

bool h2_connection_can_receive(const struct h2_connection *connection)
{
    return connection->left_over.length == 0;
}

/* The seconds of silence that are too many for what the connection is doing. */
static double patience(const struct h2_connection *connection)
{
    if (connection->session.streams != NULL)
        return H2_STALL_S;
    bool is_stuck = connection->left_over.length > 0;
    return connection->has_received && !is_stuck ? H2_IDLE_S : H2_PREFACE_S;
}

bool h2_connection_check_silence(struct h2_connection *connection)
{
    if (connection->is_lingering) {
        connection->is_broken = now(connection) - connection->lingers_since > H2_LINGER_S;
        return connection->is_broken;
    }
    if (connection->session.goodbye == H2_GOODBYE_ANNOUNCED &&
        now(connection) - connection->goodbye_at > H2_LAST_CALL_S) {
        h2_session_say_goodbye(&connection->session);
        return true;
    }
    double limit = patience(connection);
    if (now(connection) - connection->moved_at <= limit)
        return false;
    if (limit == H2_IDLE_S)
        h2_connection_shut_down(connection);
    else
        connection->is_broken = true;
    return true;
}

void h2_connection_shut_down(struct h2_connection *connection)
{
    if (connection->is_lingering || connection->session.goodbye != H2_GOODBYE_NONE)
        return;
    h2_session_announce_goodbye(&connection->session);
    connection->goodbye_at = now(connection);
}
