/*
 * An HTTP/1 request head from its request line to its framing: the rules of RFC 9112 sections 3 and
 * 6 that no parser checks for us. What breaks them is remembered in the head (request_head_refuse).
 * Pure, apart from the arena.
 */
#ifndef HTTP1_HTTP1_REQUEST_H
#define HTTP1_HTTP1_REQUEST_H

#include "proxy/http/request_head.h"

/* What only HTTP/1 says about a request. */
struct http1_request {
    uint32_t minor;      /* 0: HTTP/1.0, 1: HTTP/1.1 (or later, which we treat as 1.1) */
    bool absolute;       /* the target named the host, so Host does not count */
    bool chunked;        /* the content comes in chunks */
    bool keeps;          /* the client wants to go on using the connection */
    bool wants_trailers; /* TE: trailers */
    bool expects_continue;
};

/*
 * Reads "METHOD SP target SP HTTP/1.x", without its line end. Views of `line` stay in the head: it
 * lives in the request's arena.
 */
void http1_request_line(struct http1_request *request, struct request_head *head,
                        struct arena *arena, struct strview line);

/* A field of the head, its name in lower case. */
void http1_request_field(const struct http1_request *request, struct request_head *head,
                         struct arena *arena, const struct limits *limits, struct strview name,
                         struct strview value);

/* All fields are there: how the body is framed, who is asked, how it goes on. */
void http1_request_done(struct http1_request *request, struct request_head *head,
                        struct arena *arena);

#endif
