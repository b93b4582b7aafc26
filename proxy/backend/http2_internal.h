/*
 * An h2 connection to an endpoint from inside: shared by http2_connection.c (the socket and its
 * session), http2_answer.c (what comes back), http2_head.c (whether that is an answer),
 * http2_stream.c (what an owner does with a stream) and http2_request.c (the request's head).
 */
#ifndef BACKEND_HTTP2_INTERNAL_H
#define BACKEND_HTTP2_INTERNAL_H

#include "proxy/backend/connection.h"
#include "proxy/backend/response_builder.h"
#include "proxy/http2/hpack_encoder.h"
#include "proxy/http2/http2_memory.h"
#include "proxy/http2/http2_output.h"
#include "proxy/net/byte_stream.h"

/* So many frames may come in a row that bring nothing on: pings, settings, content of no bytes,
 * what belongs to streams that are over, frames of unknown types. */
enum { HTTP2_IDLE_FRAMES = 10000 };

/*
 * A field that was found valid, as it came: nghttp2 hands out the same object as often as a field
 * is the one in its table, and while we hold it, nobody changes it or has its place.
 */
struct http2_known_field {
    nghttp2_rcbuf *name; /* a reference, as on the value; NULL: none is known */
    nghttp2_rcbuf *value;
    enum header_token token;
};

enum { HTTP2_KNOWN_FIELDS = 16, HTTP2_KNOWN_BYTES = 256 };

struct http2_connection {
    struct byte_stream bytes;
    struct backend_pool *pool;
    struct tls_client *tls; /* a reference; NULL: in clear */
    struct list node;
    struct deadline deadline; /* connecting, or without streams */
    struct task reap;
    nghttp2_session *session;
    struct http2_memory memory;
    struct list streams;                      /* of owners that have not closed theirs */
    struct http2_backend_stream *last_stream; /* of them, that was looked for last; or NULL */
    int32_t gone_id;                          /* of the stream whose owner was last forgotten */
    uint32_t open_streams; /* known to nghttp2, so also those cancelled but not closed yet */
    uint64_t keep_alive_ms;
    size_t unreported;    /* content that has come, and that nghttp2 was not told to be consumed */
    uint32_t idle_frames; /* since the last that was content or a final head, in either direction */
    bool connecting;
    bool draining; /* takes no new streams */
    bool served;   /* an answer was completed on it */
    bool closed;
    struct buffer *read_buffer; /* during nghttp2_session_mem_recv */
    struct byte_queue held;     /* the head that goes next, while there is no room for it */
    struct hpack_encoder encoder;
    struct http2_known_field known[HTTP2_KNOWN_FIELDS]; /* by their place in a head */
};

struct http2_backend_stream {
    struct backend_stream base;
    struct http2_connection *connection; /* NULL once nghttp2 has closed the stream, */
    bool was_sent;                       /* which had left by then */
    struct backend_pool *pool;
    struct list node;
    int32_t id;
    struct http2_body body; /* of the request */
    bool head_is_made;      /* of the request, too; what nghttp2 frames after it are trailers */
    bool answer_started;    /* the final head has come */
    bool has_fields;        /* in the head or trailers that come, other than :status */
    int64_t content_left;   /* once the final head has come; or CONTENT_LENGTH_UNKNOWN */
    size_t unreported;      /* content that is consumed, and nghttp2 was not told */
    uint64_t opened_ms;
    uint64_t silence_ms;  /* no byte for so long, and the connection is in doubt */
    uint64_t read_before; /* by the connection, when the stream was opened */
    bool reset_received;
    enum backend_fault fault; /* why the answer is refused; RESET: it is not */
    struct response_builder builder;
};

/* NULL when it has no owner any more. What a stream sends comes in a row, so the last one is known
 * without a look into nghttp2's map. */
static inline struct http2_backend_stream *http2_stream_by_id(struct http2_connection *connection,
                                                              int32_t id)
{
    if (connection->last_stream != NULL && connection->last_stream->id == id)
        return connection->last_stream;
    if (id == connection->gone_id) /* ids are not used twice */
        return NULL;
    connection->last_stream = nghttp2_session_get_stream_user_data(connection->session, id);
    return connection->last_stream;
}

/* --- http2_connection.c -------------------------------------------------------------------- */

/* A connection with room for one more stream, new if need be; NULL when there may be no more. */
struct http2_connection *http2_pick_connection(struct backend_pool *pool,
                                               const struct backend_stream_options *options);

/* Closes the socket; streams still open fail. The memory goes at the end of the turn. */
void http2_connection_close(struct http2_connection *connection, enum backend_fault fault,
                            bool unprocessed);

/* After a stream has gone: keeps the connection for a while, or closes it when it is draining. */
void http2_connection_rest(struct http2_connection *connection);

/* --- http2_answer.c ------------------------------------------------------------------------ */

/* The callbacks for everything that an endpoint sends. */
void http2_answer_set_callbacks(nghttp2_session_callbacks *callbacks);

/* --- http2_head.c -------------------------------------------------------------------------- */

/* One more field of a head or of trailers. Too much, or not as RFC 9113 section 8 wants it: the
 * answer is none. */
enum builder_result http2_head_field(struct http2_backend_stream *stream, nghttp2_rcbuf *name,
                                     nghttp2_rcbuf *value);

/* Forgets the known fields, before the session ends. */
void http2_head_forget(struct http2_connection *connection);

/* All fields of a head have come. `ends` says that nothing follows it. */
enum builder_result http2_head_done(struct http2_backend_stream *stream, bool ends);

/* Counts `length` bytes of content; false when there may not be so many of them. */
bool http2_content_fits(struct http2_backend_stream *stream, size_t length);

/* --- http2_request.c ----------------------------------------------------------------------- */

/* Appends the head of the stream's request, in one frame or in several. */
void http2_request_append(const struct http2_backend_stream *stream, struct hpack_encoder *encoder,
                          struct byte_queue *to);

/* --- http2_stream.c ------------------------------------------------------------------------ */

/* The callbacks for everything that is sent to an endpoint. */
void http2_stream_set_callbacks(nghttp2_session_callbacks *callbacks);

/* nghttp2 knows the stream no more; the owner may keep it for a while. */
void http2_stream_forget_connection(struct http2_backend_stream *stream);

/* Tells the owner, once. */
void http2_stream_fail(struct http2_backend_stream *stream, enum backend_fault fault,
                       bool unprocessed, bool reused);

#endif
