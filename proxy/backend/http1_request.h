/* The bytes of an HTTP/1.1 request head (RFC 9112). Pure, apart from the queue. */
#ifndef BACKEND_HTTP1_REQUEST_H
#define BACKEND_HTTP1_REQUEST_H

#include "proxy/backend/backend_stream.h"
#include "proxy/core/byte_queue.h"

/* True when the body has to be chunked: there is one and its length is not known. */
bool http1_request_is_chunked(const struct backend_request *request);

/* Appends request line and fields. Everything in `request` has passed the request check. */
void http1_request_write_head(struct byte_queue *output, const struct backend_request *request);

#endif
