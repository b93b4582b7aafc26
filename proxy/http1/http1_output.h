/*
 * The bytes of HTTP/1.1 messages on their way out (RFC 9112): heads, chunks and trailers. Used
 * towards clients and towards endpoints. Pure, apart from the queue.
 */
#ifndef HTTP1_HTTP1_OUTPUT_H
#define HTTP1_HTTP1_OUTPUT_H

#include "proxy/core/byte_queue.h"
#include "proxy/http/headers.h"

/* Pieces of text that stand behind one another. */
struct http1_text {
    const struct strview *parts;
    size_t count;
};

/*
 * A head: `before` is the start line, `after` what frames the message, both with the ends of their
 * lines; the empty line is added. What is written has passed a check: nothing in it ends a line.
 */
void http1_write_head(struct byte_queue *output, struct http1_text before,
                      const struct headers *headers, struct http1_text after);

/* Nothing for a length of 0. `source` as in byte_queue_append_slice. */
void http1_write_chunk(struct byte_queue *output, struct buffer *source, const char *data,
                       size_t length);

/* The last chunk and the trailer section. Trailers may be NULL. */
void http1_write_last_chunk(struct byte_queue *output, const struct headers *trailers);

#endif
