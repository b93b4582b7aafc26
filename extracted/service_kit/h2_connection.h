/*
 * One client's socket and the HTTP/2 session on it.
 * Owner: the h2_server, which alone frees it, and only between events, never within one.
 * The loop's thread.
 */
#ifndef SERVICE_KIT_H2_CONNECTION_H
#define SERVICE_KIT_H2_CONNECTION_H

#include "extracted/service_kit/h2_session.h"

enum {
    H2_READ_BYTES = 64 * 1024,   /* one read */
    H2_WRITE_BYTES = 128 * 1024, /* about one write; the session's last frame comes on top */
    H2_PREFACE_S = 10,           /* for the client's first bytes */
    H2_IDLE_S = 120,             /* silence without a stream */
    H2_STALL_S = 60,             /* silence with streams that cannot go on */
    H2_LINGER_S = 2,             /* for what is still coming in after the last byte went out */
    H2_LAST_CALL_S = 1,          /* for the answer to the announcement of the end */
};

/* Memory that all connections use in turn: nothing in it outlives a call. */
struct h2_rooms {
    uint8_t read[H2_READ_BYTES];
    struct body_text write;
};

enum h2_progress {
    H2_WAITS,       /* for the client */
    H2_WANTS_WRITE, /* goes on once the socket takes more */
    H2_OVER,        /* to be freed */
};

struct h2_connection {
    int socket;
    struct h2_session session;
    struct h2_rooms *rooms;
    struct body_text left_over; /* what the socket has not taken yet */
    size_t left_over_sent;
    double moved_at; /* when bytes last went either way */
    double goodbye_at;
    double lingers_since;
    bool is_lingering; /* all is said; input is read only to be dropped */
    bool has_received;
    bool is_broken;
};

/* Takes the socket, except on failure: false, no memory. rooms and turn are borrowed for life. */
bool h2_connection_init(struct h2_connection *connection, int take_socket,
                        const struct h2_turn *turn, struct h2_rooms *rooms);
void h2_connection_done(struct h2_connection *connection);

/* One read and all that follows from it but writing. */
void h2_connection_receive(struct h2_connection *connection);

/* One write of everything that can leave. */
enum h2_progress h2_connection_flush(struct h2_connection *connection);

/* Whether to read on: not while output is stuck, or a client could fill our memory. */
bool h2_connection_can_receive(const struct h2_connection *connection);

/* Ends what has been silent too long. True if a flush is due. */
bool h2_connection_check_silence(struct h2_connection *connection);

/* Begins the end; streams that run are completed. A flush is due. */
void h2_connection_shut_down(struct h2_connection *connection);

#endif
