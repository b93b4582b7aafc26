#include "proxy/client/client_connection.h"

#include <stdlib.h>
#include <unistd.h>

#include "proxy/client/admission.h"
#include "proxy/client/http1_session.h"
#include "proxy/client/http2_session.h"
#include "proxy/core/array.h"
#include "proxy/net/socket.h"

/* RFC 9113 section 3.4 */
static const char http2_preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
enum {
    PREFACE_BYTES = sizeof(http2_preface) - 1,
    /* A client that says no more may wait for its answer, or be gone: until something is written
     * to it nobody can tell. */
    HALF_CLOSED_MS = 3000,
};

static struct io *io_of(const struct client_connection *connection)
{
    return connection->environment->exchanges->io;
}

static struct metrics_gauges *gauges_of(const struct client_connection *connection)
{
    return &connection->environment->exchanges->metrics->gauges;
}

void client_environment_count_fault(const struct client_environment *environment,
                                    enum connection_protocol protocol, enum client_fault fault)
{
    const struct exchange_environment *exchanges = environment->exchanges;
    const uint32_t *first = exchanges->lease->snapshot->client_faults;
    metrics_add(exchanges->metrics, first[protocol] + (uint32_t)fault, 1);
}

static void count(struct client_connection *connection, int amount)
{
    struct client_environment *environment = connection->environment;
    environment->connection_count += (uint32_t)amount;
    atomic_fetch_add_explicit(environment->total_connections, (uint32_t)amount,
                              memory_order_relaxed);
    metrics_gauge_add(&gauges_of(connection)->client_connections[connection->protocol], amount);
}

static void count_as(struct client_connection *connection, enum connection_protocol protocol)
{
    _Atomic int64_t *gauges = gauges_of(connection)->client_connections;
    metrics_gauge_add(&gauges[connection->protocol], -1);
    connection->protocol = protocol;
    metrics_gauge_add(&gauges[protocol], 1);
}

void client_connection_record_fault(const struct client_connection *connection,
                                    enum client_fault fault)
{
    client_environment_count_fault(connection->environment, connection->protocol, fault);
}

void client_connection_note_excess(const struct client_connection *connection)
{
    admission_note_excess(connection->environment, &connection->facts.address);
}

/* --- ending -------------------------------------------------------------------------------- */

static void run_reap(struct task *task)
{
    struct client_connection *connection = LIST_ENTRY(task, struct client_connection, reap);
    struct client_environment *environment = connection->environment;
    if (connection->session != NULL)
        connection->methods->free(connection->session);
    byte_queue_done(&connection->bytes.output); /* an answer may have come since the socket went */
    tls_context_unref(connection->tls);
    free(connection);
    if (environment->on_connection_closed != NULL)
        environment->on_connection_closed(environment);
}

/* The socket goes now; the session and the memory at the end of the turn, because one of the
 * session's own calls may be on the stack. */
static void close_connection(struct client_connection *connection)
{
    if (connection->closed)
        return;
    connection->closed = true;
    deadline_stop(&connection->deadline);
    deadline_stop(&connection->write);
    if (connection->ends_answer)
        byte_stream_abort(&connection->bytes);
    else
        byte_stream_close(&connection->bytes);
    connection->environment->lingering_count -= connection->at_work;
    list_remove(&connection->node);
    if (connection->is_counted)
        address_counts_remove(connection->environment->counts, &connection->facts.address);
    count(connection, -1);
    task_schedule(&io_of(connection)->loop, &connection->reap);
}

/* It sends no more requests (RFC 9112 section 9.6), and nothing else that it sent is unread. */
static bool has_nothing_to_say(struct client_connection *connection)
{
    return connection->bytes.ended ||
           (connection->is_last && !byte_stream_has_input(&connection->bytes));
}

/*
 * Everything is written. Closing a socket with unread input makes the kernel send a reset, which
 * may destroy what the client has not read yet (RFC 9112 section 9.6); so input is read and dropped
 * for a moment, unless none is to be expected.
 */
static void linger(struct client_connection *connection)
{
    if (connection->lingering)
        return;
    connection->lingering = true;
    connection->ends_answer = connection->ends_answer && connection->is_cut;
    if (connection->ends_answer || has_nothing_to_say(connection)) {
        close_connection(connection);
        return;
    }
    deadline_stop(&connection->write);
    byte_stream_end_output(&connection->bytes);
    byte_stream_resume(&connection->bytes);
    connection->linger_until_ms = io_of(connection)->loop.now_ms + CLIENT_LINGER_MAX_MS;
    connection->linger_read = connection->bytes.bytes_read;
    deadline_start(&io_of(connection)->loop, &connection->deadline, CLIENT_LINGER_MS);
}

/* In the middle of its upload, or of what it reads: over HTTP/2 it says so, by giving windows back.
 */
static bool is_at_work(const struct client_connection *connection, uint64_t came)
{
    bool is_http2 = connection->methods == &http2_session_methods;
    return came >= CLIENT_LINGER_BYTES || (is_http2 && socket_has_output(connection->bytes.fd));
}

/* The time is up. True: not for a client that is at work. */
static bool lingers_on(struct client_connection *connection)
{
    struct loop *loop = &io_of(connection)->loop;
    uint64_t came = connection->bytes.bytes_read - connection->linger_read;
    uint32_t *count = &connection->environment->lingering_count;
    if (!connection->lingering || loop->now_ms >= connection->linger_until_ms ||
        !is_at_work(connection, came))
        return false;
    if (!connection->at_work && *count == CLIENT_LINGER_CONNECTIONS)
        return false;
    *count += !connection->at_work;
    connection->at_work = true;
    connection->linger_read += came;
    deadline_start(loop, &connection->deadline, CLIENT_LINGER_MS);
    return true;
}

static void close_after_output(struct client_connection *connection)
{
    connection->closing = true;
    if (connection->bytes.output.bytes == 0)
        linger(connection);
    else
        byte_stream_flush_soon(&connection->bytes);
}

/* --- protocol ------------------------------------------------------------------------------ */

/*
 * False: there is no connection any more, because memory is out, or because the client has gone
 * while it waited to be accepted: its requests, however many, would be cancelled when that is read.
 */
static bool start_http2(struct client_connection *connection)
{
    if (socket_has_ended(connection->bytes.fd)) {
        client_connection_record_fault(connection, CLIENT_FAULT_GONE);
        close_connection(connection);
        return false;
    }
    connection->facts.protocol = STRVIEW("h2");
    connection->facts.version = STRVIEW("2.0");
    count_as(connection, connection->tls != NULL ? CONNECTION_H2 : CONNECTION_H2C);
    connection->methods = &http2_session_methods;
    connection->session = http2_session_new(connection);
    if (connection->session == NULL)
        close_connection(connection);
    return connection->session != NULL;
}

static void start_http1(struct client_connection *connection)
{
    count_as(connection, CONNECTION_HTTP1);
    connection->methods = &http1_session_methods;
    connection->session = http1_session_new(connection);
}

/* A client that does not read is not read from, either; the write limit ends it. */
void client_connection_balance_input(struct client_connection *connection)
{
    if (connection->closed || connection->closing || connection->session == NULL)
        return;
    if (connection->methods->wants_input(connection->session))
        byte_stream_resume(&connection->bytes);
    else
        byte_stream_pause(&connection->bytes);
}

static void receive(struct client_connection *connection, struct buffer *buffer, const char *data,
                    size_t length)
{
    if (!connection->methods->receive(connection->session, buffer, data, length)) {
        client_connection_record_fault(connection, CLIENT_FAULT_PROTOCOL);
        connection->methods->fill(connection->session); /* a GOAWAY that says why */
        close_after_output(connection);
        return;
    }
    byte_stream_flush_soon(&connection->bytes);
    client_connection_balance_input(connection);
}

/* Goes on with the bytes that were kept back, and with those that have come since. */
static void receive_first(struct client_connection *connection, struct buffer *buffer,
                          const char *data, size_t length)
{
    if (connection->preface_bytes > 0)
        receive(connection, NULL, connection->preface, connection->preface_bytes);
    if (length > 0 && !connection->closing && !connection->closed)
        receive(connection, buffer, data, length);
}

/* The first bytes tell: HTTP/2's preface, or anything else (RFC 9113 section 3.4). */
static void detect(struct client_connection *connection, struct buffer *buffer, const char *data,
                   size_t length)
{
    size_t missing = PREFACE_BYTES - connection->preface_bytes;
    size_t part = length < missing ? length : missing;
    if (memcmp(http2_preface + connection->preface_bytes, data, part) != 0) {
        if (connection->wants_http2) {
            client_connection_record_fault(connection, CLIENT_FAULT_PROTOCOL);
            close_after_output(connection);
            return;
        }
        start_http1(connection);
        receive_first(connection, buffer, data, length);
        return;
    }
    memcpy(connection->preface + connection->preface_bytes, data, part);
    connection->preface_bytes += part;
    if (connection->preface_bytes < PREFACE_BYTES)
        return;
    if (start_http2(connection))
        receive_first(connection, buffer, data + part, length - part);
}

/* --- events of the socket ------------------------------------------------------------------ */

static struct client_connection *connection_of(struct byte_stream *bytes)
{
    return LIST_ENTRY(bytes, struct client_connection, bytes);
}

/* The handshake is done. HTTP/2 over TLS has to be asked for (RFC 9113 section 3.2). */
static void on_open(struct byte_stream *bytes)
{
    struct client_connection *connection = connection_of(bytes);
    connection->wants_http2 = byte_stream_speaks(bytes, STRVIEW("h2"));
    if (!connection->wants_http2)
        start_http1(connection);
}

static void on_bytes(struct byte_stream *bytes, struct buffer *buffer, const char *data,
                     size_t length)
{
    struct client_connection *connection = connection_of(bytes);
    if (connection->closing)
        return;
    if (connection->session == NULL)
        detect(connection, buffer, data, length);
    else
        receive(connection, buffer, data, length);
}

/* As long as there is output, it has to move. */
static void limit_write(struct client_connection *connection)
{
    if (connection->bytes.output.bytes > 0 && !deadline_is_running(&connection->write))
        deadline_start(&io_of(connection)->loop, &connection->write,
                       client_connection_limits(connection)->write_timeout_ms);
}

static void on_fill(struct byte_stream *bytes)
{
    struct client_connection *connection = connection_of(bytes);
    if (connection->session != NULL && !connection->closing &&
        !connection->methods->fill(connection->session))
        connection->closing = true;
    if (connection->closing && bytes->output.bytes == 0) {
        linger(connection);
        return;
    }
    if (connection->closing)
        deadline_stop(&connection->deadline); /* whatever it waited for: what is owed leaves */
    bytes->ends_output = connection->closing && !connection->ends_answer && !bytes->ended;
    limit_write(connection);
}

static void on_written(struct byte_stream *bytes)
{
    struct client_connection *connection = connection_of(bytes);
    uint64_t limit_ms = client_connection_limits(connection)->write_timeout_ms;
    deadline_start(&io_of(connection)->loop, &connection->write,
                   bytes->output.bytes > 0 ? limit_ms : 0);
    if (bytes->ended && !connection->closing)
        deadline_stop(&connection->deadline); /* it is there, or we shall hear that it is not */
    client_connection_balance_input(connection);
}

/* May the client, which sends no more, still be written to? */
static bool outlives_input(struct client_connection *connection)
{
    if (connection->session == NULL || connection->methods->input_ended == NULL)
        return false;
    if (connection->closing)
        return connection->bytes.output.bytes > 0;
    return connection->methods->input_ended(connection->session);
}

static void on_end(struct byte_stream *bytes, enum byte_stream_end end)
{
    struct client_connection *connection = connection_of(bytes);
    if (end == BYTE_STREAM_TLS_FAILED)
        client_connection_record_fault(connection, CLIENT_FAULT_HANDSHAKE);
    if (end != BYTE_STREAM_EOF || !outlives_input(connection))
        close_connection(connection);
}

static const struct byte_stream_events byte_events = {
    .on_open = on_open,
    .on_bytes = on_bytes,
    .on_fill = on_fill,
    .on_written = on_written,
    .on_end = on_end,
};

/* --- deadlines ----------------------------------------------------------------------------- */

static void on_deadline(struct deadline *deadline)
{
    struct client_connection *connection = LIST_ENTRY(deadline, struct client_connection, deadline);
    if (lingers_on(connection))
        return;
    if (connection->session == NULL)
        client_connection_record_fault(connection, CLIENT_FAULT_HEAD_TIMEOUT);
    if (connection->session == NULL || connection->closing) {
        close_connection(connection);
        return;
    }
    if (!connection->methods->end(connection->session))
        return;
    connection->methods->fill(connection->session);
    close_after_output(connection);
}

static void on_write_deadline(struct deadline *deadline)
{
    struct client_connection *connection = LIST_ENTRY(deadline, struct client_connection, write);
    client_connection_record_fault(connection, CLIENT_FAULT_WRITE_TIMEOUT);
    close_connection(connection);
}

void client_connection_flush_soon(struct client_connection *connection)
{
    if (connection->closed)
        return;
    if (connection->bytes.output.bytes >= BYTE_STREAM_OUTPUT_BYTES)
        limit_write(connection); /* on_fill does not, if the socket is full before */
    byte_stream_flush_soon(&connection->bytes);
}

void client_connection_idle(struct client_connection *connection)
{
    if (!connection->closed)
        deadline_start(&io_of(connection)->loop, &connection->deadline,
                       client_connection_limits(connection)->idle_timeout_ms);
}

void client_connection_idle_draining(struct client_connection *connection)
{
    if (!connection->closed)
        deadline_start(&io_of(connection)->loop, &connection->deadline, CLIENT_DRAIN_NOTICE_MS);
}

void client_connection_expect_head(struct client_connection *connection)
{
    if (!connection->closed)
        deadline_start(&io_of(connection)->loop, &connection->deadline,
                       client_connection_limits(connection)->header_timeout_ms);
}

void client_connection_await_answer(struct client_connection *connection)
{
    deadline_start(&io_of(connection)->loop, &connection->deadline, HALF_CLOSED_MS);
}

void client_connection_busy(struct client_connection *connection)
{
    deadline_stop(&connection->deadline);
}

struct strview client_connection_local_host(const struct client_connection *connection,
                                            struct arena *arena)
{
    struct address address;
    if (!socket_local_address(connection->bytes.fd, &address) || address_port(&address) == 0)
        return STRVIEW("localhost");
    char *text = arena_alloc(arena, ADDRESS_TEXT_BYTES);
    return strview_of(address_format(&address, text));
}

/* --- life ---------------------------------------------------------------------------------- */

void client_connection_accept_take(struct client_environment *environment, int fd,
                                   const struct address *client, const struct client_terms *terms)
{
    bool counted = false;
    if (!admission_begin(environment, fd, client, terms, &counted)) {
        close(fd);
        return;
    }
    struct tls_context *tls = terms->tls;
    struct client_connection *connection = memory_zalloc(sizeof(*connection));
    connection->environment = environment;
    connection->is_counted = counted;
    connection->facts.address = address_ip(client);
    size_t length = ip_format(&connection->facts.address, connection->address_text);
    connection->facts.address_text = strview_make(connection->address_text, length);
    connection->facts.scheme = tls != NULL ? STRVIEW("https") : STRVIEW("http");
    connection->facts.redirect_port = terms->redirect_port;
    connection->facts.hsts_s = terms->hsts_s;
    connection->tls = tls != NULL ? tls_context_ref(tls) : NULL;
    task_init(&connection->reap, run_reap);
    deadline_init(&connection->deadline, on_deadline);
    deadline_init(&connection->write, on_write_deadline);
    list_append(&environment->connections, &connection->node);
    count(connection, 1);

    struct ssl_st *ssl = tls != NULL ? tls_context_new_connection(tls) : NULL;
    byte_stream_accept_take(&connection->bytes, io_of(connection), fd, ssl, &byte_events);
    deadline_start(&io_of(connection)->loop, &connection->deadline,
                   client_connection_limits(connection)->header_timeout_ms);
    if (tls != NULL && ssl == NULL)
        close_connection(connection); /* out of memory: never in clear what should be encrypted */
}

void client_connections_close_all(struct client_environment *environment)
{
    while (!list_is_empty(&environment->connections))
        close_connection(LIST_ENTRY(environment->connections.next, struct client_connection, node));
}

void client_connections_drain(struct client_environment *environment)
{
    environment->draining = true;
    struct list *at = environment->connections.next;
    while (at != &environment->connections) {
        struct client_connection *connection = LIST_ENTRY(at, struct client_connection, node);
        at = at->next;
        /* Its first request is on its way, within its limit; or it ends already, in its time. */
        if (connection->session == NULL || connection->closing)
            continue;
        connection->methods->drain(connection->session);
        byte_stream_flush_soon(&connection->bytes);
    }
}
