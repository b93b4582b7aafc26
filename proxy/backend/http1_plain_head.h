/*
 * The head of an answer as nearly all are: in one piece, HTTP/1.1, with a length or without
 * content, and nothing about the connection but that it stays. It is read line by line; whatever is
 * otherwise, be it right or wrong, is left to llhttp, which alone says what is malformed. Pure,
 * apart from the arena.
 */
#ifndef BACKEND_HTTP1_PLAIN_HEAD_H
#define BACKEND_HTTP1_PLAIN_HEAD_H

#include "proxy/backend/response_builder.h"

/* Longer heads are not plain. */
enum { HTTP1_PLAIN_HEAD_BYTES = 8 * 1024 };

/*
 * Reads such a head at the begin of the bytes, also into the builder's status and fields. Returns
 * how long it is; 0 when it is not plain, and the builder is as it was then.
 */
size_t http1_plain_head(struct response_builder *builder, struct arena *arena,
                        enum http_method request_method, struct strview bytes);

#endif
