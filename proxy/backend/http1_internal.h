/*
 * An HTTP/1.1 connection to an endpoint from inside: shared by http1_connection.c (the socket, the
 * request, the pool), http1_answer.c (what comes back) and http1_pipeline.c (several requests at
 * once).
 */
#ifndef BACKEND_HTTP1_INTERNAL_H
#define BACKEND_HTTP1_INTERNAL_H

#include <llhttp.h>

#include "proxy/backend/connection.h"
#include "proxy/backend/response_builder.h"
#include "proxy/http1/http1_field.h"
#include "proxy/net/byte_stream.h"

enum http1_state {
    HTTP1_CONNECTING,
    HTTP1_BUSY,
    HTTP1_IDLE,
    HTTP1_WITHDRAWN, /* its request has been; the endpoint may still work on it */
    HTTP1_CLOSED
};

/* Of an answer; not chosen before its first bytes. */
enum http1_reader { HTTP1_READER_NONE, HTTP1_READER_COUNT, HTTP1_READER_PARSER };

struct http1_connection {
    struct backend_stream stream; /* valid while has_stream */
    struct byte_stream bytes;
    struct backend_pool *pool;
    struct tls_client *tls; /* a reference; NULL: in clear */
    struct list node;
    struct deadline deadline; /* connecting, idle in the pool, or withdrawn */
    struct task reap;
    enum http1_state state;
    bool has_stream;
    bool reused;
    uint64_t keep_alive_ms;
    uint64_t first_byte_ms;
    struct withdrawn *withdrawn; /* a reference in this state; NULL: it is in another */
    uint64_t idle_turn;          /* of the loop, in which it went to the pool */
    uint64_t opened_turn;        /* in which it was asked for last */

    /* the request */
    bool chunked;
    bool request_ended;
    uint64_t body_awaited;   /* so much of it is still to come from the owner; 0: or nobody knows */
    uint64_t written_before; /* by the connection, when this request was opened */
    size_t unreported;       /* body bytes appended to the output, not yet reported as consumed */

    /* the answer */
    enum http1_reader reader;
    uint64_t body_left; /* when it is read by counting */
    llhttp_t parser;
    struct response_builder builder;
    struct buffer *read_buffer; /* during on_bytes */
    struct http1_field field;
    bool field_pending;
    bool head_done;
    bool message_done;
    bool tunnel;         /* 101 was said: the connection's bytes are the owner's, both ways */
    bool ends_output;    /* of the tunnel, when what is queued has left */
    bool may_keep;       /* the answer allows another request */
    size_t behind_bytes; /* of the read that has ended the answer, behind its end */
    size_t answer_bytes; /* read since the request was sent */
    size_t head_bytes;   /* of answer_bytes, before the final head was complete */
    size_t line_bytes;   /* of the status line of the head under way, until its status is whole */
    size_t extension_bytes; /* of all chunks of the answer */
    size_t frame_bytes;     /* behind the last content, in reads that brought none */
    bool content_came;      /* in the read that is being parsed */
    enum backend_fault parse_fault;
};

/* --- http1_connection.c -------------------------------------------------------------------- */

/* Closes the connection and tells the stream's owner, if there is one that has not been told. */
void http1_fail(struct http1_connection *connection, enum backend_fault fault, bool unprocessed);

/* Closes the socket; the memory goes when the stream is closed as well. */
void http1_connection_close(struct http1_connection *connection);

/*
 * Begins to connect, in memory of so many bytes that opens with the connection, and among the
 * pool's. NULL when there may be no more of them.
 */
struct http1_connection *http1_connection_new(struct backend_pool *pool,
                                              const struct backend_stream_options *options,
                                              size_t bytes,
                                              const struct byte_stream_events *events);

/*
 * Whatever has come on an idle connection was said before we ask, and must never be taken for the
 * answer (RFC 9112 section 9.2); its end means that it is of no use. The loop may not have told
 * yet, so the socket is asked, unless it was read in this very turn.
 */
bool http1_connection_is_stale(struct http1_connection *connection);

/* What the socket tells; what it brings is for whoever made the connection. */
void http1_on_open(struct byte_stream *bytes);
void http1_on_end(struct byte_stream *bytes, enum byte_stream_end end);

/* --- http1_answer.c ------------------------------------------------------------------------ */

/* Before each request: forgets the answer before. */
void http1_answer_init(struct http1_connection *connection);

/* Parses until the bytes, the message or the stream ends; false when the stream is done with. */
bool http1_parse_answer(struct http1_connection *connection, const char *data, size_t length);

/* The connection was closed in an orderly way; true when that ended the answer as it should. */
bool http1_answer_ends_with_connection(struct http1_connection *connection);

/* Tells the owner that the answer is complete. */
void http1_finish_answer(struct http1_connection *connection);

/* Bytes of the answer, or of a tunnel, for the owner; false when the stream is done with. */
bool http1_deliver(struct http1_connection *connection, const char *data, size_t length);

#endif
