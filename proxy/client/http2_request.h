/*
 * Turns the header fields of an HTTP/2 request into a request_head, within the limits. Internal to
 * client/. One thread; bytes go to the stream's arena.
 */
#ifndef CLIENT_HTTP2_REQUEST_H
#define CLIENT_HTTP2_REQUEST_H

#include "proxy/http/limits.h"
#include "proxy/http/message.h"

/* Starts a head. */
void http2_request_init(struct request_head *head);

/* One field, in the order of arrival. Bytes are copied, until the head is over its limits; then
 * fields are only counted, and request_check refuses the head. */
void http2_request_field(struct request_head *head, struct arena *arena,
                         const struct limits *limits, struct strview name, struct strview value);

/* All fields are there: path, authority and content length become what routing needs. */
void http2_request_done(struct request_head *head, struct arena *arena, bool ends);

#endif
