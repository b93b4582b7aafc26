/*
 * Collects the head of a client's request, field by field and within the limits, whatever protocol
 * it comes by. What the codec or a field shows to be wrong is remembered in the head, and
 * request_check refuses it. One thread; bytes go to the request's arena.
 */
#ifndef HTTP_REQUEST_HEAD_H
#define HTTP_REQUEST_HEAD_H

#include "proxy/http/limits.h"
#include "proxy/http/message.h"

void request_head_init(struct request_head *head);

/* It cannot be served; the first reason stays. `detail` as in request_verdict. */
void request_head_refuse(struct request_head *head, int status, const char *detail);

/*
 * One field, in the order of arrival; `name` is lower case, or one of HTTP/2's pseudo-fields. Bytes
 * are copied, until the head is over its limits; then fields are only counted, and request_check
 * refuses the head.
 */
void request_head_field(struct request_head *head, struct arena *arena, const struct limits *limits,
                        struct strview name, struct strview value);

/* All fields are there, and the codec knows whether content follows: path, authority and content
 * length become what routing needs. */
void request_head_done(struct request_head *head, struct arena *arena, bool has_body);

#endif
