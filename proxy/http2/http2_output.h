/*
 * What both ends of HTTP/2 share on the way out: header fields as nghttp2 takes them, the body of
 * one stream, and frames gathered in a connection's output queue. Used by the clients' sessions and
 * by the connections to endpoints. One thread.
 */
#ifndef HTTP2_HTTP2_OUTPUT_H
#define HTTP2_HTTP2_OUTPUT_H

#include <nghttp2/nghttp2.h>

#include "proxy/core/byte_queue.h"
#include "proxy/http/headers.h"
#include "proxy/net/byte_stream.h"

/*
 * nghttp2 drops a head that it estimates above its own limit, without an event; so its limit lies
 * well above every limit of ours.
 */
enum { HTTP2_HEADER_BLOCK_BYTES = 4 * 1024 * 1024 };

/*
 * Appends the fields to `nv` behind the `count` that are there; returns how many there are now.
 * Names and values are not copied: they have to live until the frame is sent or the stream is
 * closed.
 */
size_t http2_fields_to_nv(const struct headers *headers, nghttp2_nv *nv, size_t count);

/* The body of one stream's outgoing message. Embedded in the stream. */
struct http2_body {
    struct byte_queue queue;
    struct arena *arena;            /* the stream's */
    const struct headers *trailers; /* borrowed; NULL or empty: none */
    bool ended;                     /* nothing more will be appended */
    bool sent;                      /* END_STREAM, or the trailers that carry it, are framed */
    bool waits;                     /* nghttp2 was told that there is nothing yet */
};

void http2_body_init(struct http2_body *body, struct buffer_pool *pool, struct arena *arena);
void http2_body_done(struct http2_body *body);

/* More bytes (`source` as in byte_queue_append_slice), or the end. The caller flushes. */
void http2_body_append(struct http2_body *body, nghttp2_session *session, int32_t id,
                       struct buffer *source, const char *data, size_t length);
void http2_body_end(struct http2_body *body, nghttp2_session *session, int32_t id,
                    const struct headers *trailers);

/*
 * How long the next DATA frame had better be at most: nghttp2 allows `length`. With TLS, such that
 * it ends with a record, and lies in one piece.
 */
size_t http2_body_frame_bytes(const struct http2_body *body, const struct byte_stream *bytes,
                              size_t length);

/* For a data source's read callback: how much of the body the next frame takes. */
ssize_t http2_body_read(struct http2_body *body, nghttp2_session *session, int32_t id,
                        size_t length, uint32_t *flags);

/* For the send callback: a frame into the output, or NGHTTP2_ERR_WOULDBLOCK while that is full. */
ssize_t http2_output_frame(struct byte_queue *output, const uint8_t *data, size_t length);

/*
 * The other end does not read, and what we owe it (resets, acknowledgements) piles up: no more
 * input is to be taken from it until this is false again.
 */
bool http2_output_is_stuck(nghttp2_session *session, const struct byte_queue *output);

/* For the send-data callback: a DATA frame, its bytes moved and not copied. 0 or
 * NGHTTP2_ERR_WOULDBLOCK. */
int http2_output_data(struct byte_queue *output, struct http2_body *body, const uint8_t *frame_head,
                      size_t length);

#endif
