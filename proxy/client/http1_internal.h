/*
 * An HTTP/1 session from inside: shared by http1_session.c (the connection and the order of
 * requests), http1_input.c (bytes become a request) and http1_stream.c (one request and what its
 * exchange asks for).
 */
#ifndef CLIENT_HTTP1_INTERNAL_H
#define CLIENT_HTTP1_INTERNAL_H

#include <llhttp.h>

#include "proxy/client/http1_session.h"
#include "proxy/http1/http1_field.h"
#include "proxy/http1/http1_guard.h"
#include "proxy/http1/http1_request.h"

enum {
    REQUEST_WINDOW_BYTES = 128 * 1024, /* of a body that nobody has consumed yet */
    PIPELINE_BYTES = 16 * 1024,        /* of requests behind the one under way */
    DRAIN_ANSWERS_MAX = 1000,          /* in a drain, to who goes on sending */
};

/* How far a request has been read. */
enum http1_phase {
    HTTP1_IN_LINE,
    HTTP1_IN_FIELDS,
    HTTP1_IN_BODY,
    HTTP1_READ,      /* to its end, or refused: what follows is not part of it */
    HTTP1_IN_TUNNEL, /* what follows is the tunnel's */
};

struct http1_session {
    struct client_connection *connection;
    struct http1_stream *stream; /* the request under way; NULL: none */
    struct byte_queue pending;   /* what came behind it */
    uint16_t drain_answers;      /* begun since the drain, but the last */
    uint8_t empty_line;          /* bytes seen of the one that may come between requests */
    bool served;                 /* there was a request before */
    bool closes;                 /* the answer under way is the last */
    bool said_more;              /* the client, although it was */
    bool draining;
    bool input_ended;
};

/* One request and its answer. Lies in its own arena, as does the exchange. */
struct http1_stream {
    struct http1_session *session;
    struct arena arena;
    struct exchange *exchange; /* NULL until the head is complete */

    /* the request */
    enum http1_phase phase;
    struct piecewise line;
    llhttp_t parser;
    struct http1_guard guard;
    struct http1_field field;
    const char *unguarded; /* in a chunked body: the first byte that the guard has not seen */
    bool fields_done;      /* llhttp has come to the end of the head */
    bool message_done;     /* and of the message */
    bool refused;          /* by us: who knows what follows */
    struct request_verdict fault; /* found inside llhttp */
    struct http1_request http1;
    struct request_head request;
    struct headers request_trailers;
    size_t unconsumed; /* of the request body */

    /* the answer */
    bool continued; /* 100 was sent */
    bool chunked;
    bool until_close;  /* the end of the connection is the end of the answer */
    bool answered;     /* the answer's last byte is in the output */
    bool cut;          /* it will never be there */
    bool input_over;   /* of a tunnel: the exchange knows that the client sends no more */
    bool output_over;  /* of a tunnel: the client has been told the same */
    size_t unreported; /* of its body, not yet said to be consumed */
};

/* --- http1_session.c ----------------------------------------------------------------------- */

/* In a drain: is the answer that begins not the last, since the client has sent another request
 * already? Costs a system call. */
bool http1_session_outlives_answer(struct http1_session *session);

/* --- http1_input.c ------------------------------------------------------------------------- */

/* Takes bytes up to the end of the request and says how many; the exchange begins on the way. */
size_t http1_stream_take(struct http1_stream *stream, const char *data, size_t length);

/* --- http1_stream.c ------------------------------------------------------------------------ */

struct http1_stream *http1_stream_new(struct http1_session *session);

/* Ends the exchange. */
void http1_stream_free(struct http1_stream *stream);

/* The head is complete, or will never be: the exchange begins. */
void http1_stream_start(struct http1_stream *stream);

/* The request is complete. */
void http1_stream_request_complete(struct http1_stream *stream);

/* The request cannot be read any further, nor what follows it: answers so, if it still can. */
void http1_stream_refuse(struct http1_stream *stream, struct request_verdict why);

/* Tells the exchange what has left for the client. */
void http1_stream_report(struct http1_stream *stream);

/* Of a tunnel: passes the end of either side on, when all before it has gone. */
void http1_stream_end_tunnel(struct http1_stream *stream);

#endif
