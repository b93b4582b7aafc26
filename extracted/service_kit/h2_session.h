/*
 * The HTTP/2 of one connection: a nghttp2 session, its streams, and how it says goodbye.
 * Bytes in, bytes out, no socket. Owner: its h2_connection. The loop's thread.
 * Whatever a client sends is at worst the end of its own connection.
 */
#ifndef SERVICE_KIT_H2_SESSION_H
#define SERVICE_KIT_H2_SESSION_H

#include "extracted/service_kit/h2_stream.h"

enum {
    H2_STREAMS = 1000,             /* concurrent streams of a connection */
    H2_STREAM_WINDOW = 256 * 1024, /* bytes of a request body on the way */
    H2_CONNECTION_WINDOW = 1024 * 1024,
    H2_WAITING = 1024,              /* replies of a server that wait; more do not */
    H2_REPLY_BACKLOG = 1024 * 1024, /* bytes of replies from which on no further one is made */
    H2_RESET_BURST = 2000,          /* resets a client may send at once … */
    H2_RESET_PER_S = 200,           /* … and from then on, a second */
};

/* How far the end is. */
enum h2_goodbye {
    H2_GOODBYE_NONE,
    H2_GOODBYE_ANNOUNCED, /* new streams are still taken, for a round trip */
    H2_GOODBYE_SAID,      /* the last stream is named */
};

/* The streams of a server whose reply waits. */
struct h2_waiting {
    struct h2_stream *first;
    unsigned count;
    bool is_over; /* the server stops: nothing waits any longer, except for tasks */
};

/* What is the same for all sessions within one event; the server keeps it up to date. */
struct h2_turn {
    const struct h2_service *service;
    double now;    /* the loop's time in seconds */
    char date[40]; /* for the `date` field */
    struct h2_waiting *waiting;
};

struct h2_session {
    nghttp2_session *protocol;
    const struct h2_turn *turn;
    void *owner;               /* the server's own; untouched here */
    struct h2_stream *streams; /* a list, oldest first, through next and previous */
    struct h2_stream *last_stream;
    size_t reply_bytes;      /* bodies of replies that are not wholly sent */
    unsigned deferred_count; /* streams whose reply waits until these are fewer */
    double reset_budget;
    double reset_counted_at;
    enum h2_goodbye goodbye;
};

/* The turn is borrowed for the session's life. False: no memory, nothing to undo. */
bool h2_session_init(struct h2_session *session, const struct h2_turn *turn);
void h2_session_done(struct h2_session *session);

/* False: not HTTP/2, or beyond repair; close without a word more. */
bool h2_session_receive(struct h2_session *session, const uint8_t *bytes, size_t length);

/* Makes a waiting stream's reply again. A flush is due. False: beyond repair. */
bool h2_session_ask_again(struct h2_stream *stream, bool is_last_call);

/* Appends output until there is none or `enough` bytes are there. False: beyond repair. */
bool h2_session_send(struct h2_session *session, struct body_text *out, size_t enough);

bool h2_session_wants_send(const struct h2_session *session);

/* Nothing more to be said by either side. */
bool h2_session_is_over(const struct h2_session *session);

/* RFC 9113 section 6.8: announces the end; after a round trip the last stream is named. */
void h2_session_announce_goodbye(struct h2_session *session);

/* Names the last stream now; for clients that do not answer the announcement's ping. */
void h2_session_say_goodbye(struct h2_session *session);

#endif
