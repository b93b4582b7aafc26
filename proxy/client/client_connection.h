/*
 * One client's connection: the socket, TLS, which protocol it speaks, and the session that speaks
 * it. Owned by the worker's list; one thread. Nothing here knows about routing or backends.
 */
#ifndef CLIENT_CLIENT_CONNECTION_H
#define CLIENT_CLIENT_CONNECTION_H

#include "proxy/client/address_counts.h"
#include "proxy/client/address_pauses.h"
#include "proxy/client/client_fault.h"
#include "proxy/exchange/exchange.h"
#include "proxy/net/byte_stream.h"

/* What the connections of one worker share. Owned by the worker. */
struct client_environment {
    struct exchange_environment *exchanges;
    struct list connections;
    uint32_t connection_count;
    _Atomic uint32_t *total_connections; /* of all workers, for limits.connections */
    struct address_counts *counts;       /* the same, by address */
    struct address_pauses *pauses;       /* of all workers, for limits.address_pause */
    uint64_t told_ms;                    /* when the log was told of a pause last */
    uint32_t descriptor_limit;           /* connections that the process has descriptors for */
    uint32_t lingering_count;            /* of connections that do so for long */
    bool draining;
    void (*on_connection_closed)(struct client_environment *environment);
};

struct client_connection;

/*
 * A protocol spoken with a client. Chosen by the TLS handshake or by the connection's first bytes.
 * A session may close its connection only by returning false, never inside other calls.
 */
struct client_session_methods {
    /* Bytes in; false: the connection is to be closed (what is queued is written first). */
    bool (*receive)(void *session, struct buffer *buffer, const char *data, size_t length);
    /* Append to the output; false: the session is over and everything is queued. */
    bool (*fill)(void *session);
    /* Is there room for more input? False while the client does not read what it is owed. */
    bool (*wants_input)(void *session);
    /* Finish what was begun, take nothing new. */
    void (*drain)(void *session);
    /* The time is up: say goodbye; the connection is closed when that is written. False: not yet,
     * there is something to be read first. */
    bool (*end)(void *session);
    /* The client sends no more; true: it may still be answered. NULL: it may not. */
    bool (*input_ended)(void *session);
    /* Ends all exchanges. */
    void (*free)(void *session);
};

struct client_connection {
    struct byte_stream bytes;
    struct client_environment *environment;
    struct tls_context *tls; /* referenced while its SNI callback may run */
    struct list node;
    struct task reap;
    struct deadline deadline; /* handshake and first head, then as sessions say */
    struct deadline write;    /* output that does not move */
    uint64_t linger_until_ms; /* at the latest, while lingering */
    uint64_t linger_read;     /* of its input, when that was looked at last */
    const struct client_session_methods *methods; /* NULL until the protocol is known */
    void *session;
    struct exchange_connection facts;
    char address_text[ADDRESS_TEXT_BYTES];
    char preface[24]; /* the first bytes, until they decide */
    size_t preface_bytes;
    struct buffer *read_buffer; /* during a session's receive; NULL: not in a shared buffer */
    enum connection_protocol protocol;
    bool wants_http2; /* the handshake agreed on it */
    bool is_counted;  /* for its address */
    bool ends_answer; /* the end of the connection is the end of the answer under way */
    bool is_cut;      /* the last answer is not whole */
    bool is_last;     /* the client said that its last request is its last, and it is read */
    bool lingering;   /* all is written; wait a moment for the client to close, too */
    bool at_work;     /* lingers longer than CLIENT_LINGER_MS */
    bool closing;     /* write what is queued, then close */
    bool closed;
};

/* What a listener has for its connections. */
struct client_terms {
    struct tls_context *tls; /* NULL: cleartext */
    uint16_t redirect_port;  /* as in struct exchange_connection, both */
    uint32_t hsts_s;
};

/* Takes the descriptor, and closes it if its client may not connect. */
void client_connection_accept_take(struct client_environment *environment, int fd,
                                   const struct address *client, const struct client_terms *terms);

/* Counts a fault of a connection that there is none of yet. */
void client_environment_count_fault(const struct client_environment *environment,
                                    enum connection_protocol protocol, enum client_fault fault);

/* Ends all connections of the environment at once. */
void client_connections_close_all(struct client_environment *environment);

/* Lets all connections finish what they began. */
void client_connections_drain(struct client_environment *environment);

/* --- for sessions -------------------------------------------------------------------------- */

/* Between saying that a connection ends and ending it: at least one round trip, so that what is on
 * its way is still taken. */
enum { CLIENT_DRAIN_NOTICE_MS = 300 };

/*
 * So long input is dropped that an answer was not waiting for, while the client reads that answer.
 * Over HTTP/1 a client may read only when all is sent: again and again, but not for ever, as long
 * as so much has come in that time, and for so many connections of a worker. Over HTTP/2, where it
 * writes while it reads, the same as long as the answer has not all arrived.
 */
enum {
    CLIENT_LINGER_MS = 1000,
    CLIENT_LINGER_BYTES = 16 * 1024,
    CLIENT_LINGER_MAX_MS = 30 * 1000,
    CLIENT_LINGER_CONNECTIONS = 256,
};

/* The session has appended to the output outside of fill: it leaves at the end of this turn. */
void client_connection_flush_soon(struct client_connection *connection);

/* No stream is open: the idle limit runs. */
void client_connection_idle(struct client_connection *connection);

/* No stream is open and the next answer would be the last: the notice runs. */
void client_connection_idle_draining(struct client_connection *connection);

/* A head has begun and has to end within its limit. */
void client_connection_expect_head(struct client_connection *connection);

/* The client sends no more, and may not be there: it is answered soon, or not at all. */
void client_connection_await_answer(struct client_connection *connection);

/* The session's wants_input may have changed. */
void client_connection_balance_input(struct client_connection *connection);

/* The address that the client has connected to, as an authority. Costs a system call. */
struct strview client_connection_local_host(const struct client_connection *connection,
                                            struct arena *arena);

/* Counts why the connection ends. */
void client_connection_record_fault(const struct client_connection *connection,
                                    enum client_fault fault);

/* It ends for more than a connection is allowed: its address is remembered. */
void client_connection_note_excess(const struct client_connection *connection);

/* A stream is open: no limit of the connection runs. */
void client_connection_busy(struct client_connection *connection);

static inline const struct limits *client_connection_limits(const struct client_connection *c)
{
    return &c->environment->exchanges->lease->snapshot->limits;
}

#endif
