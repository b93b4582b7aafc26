/*
 * A request and the reply to it, with nothing of HTTP/2 in them.
 * A request is borrowed for one call. A reply belongs to the stream it answers.
 */
#ifndef SERVICE_KIT_HTTP_MESSAGE_H
#define SERVICE_KIT_HTTP_MESSAGE_H

#include "extracted/service_kit/body_text.h"

enum {
    HTTP_PARAMETERS = 4,                /* {} in one pattern */
    HTTP_ALLOW = 8,                     /* methods of one path */
    HTTP_REPLY_LIMIT = 8 * 1024 * 1024, /* bytes of a reply's body */
};

/* A piece of text owned by somebody else; no NUL ends it. */
struct http_view {
    const char *bytes;
    size_t length;
};

bool http_view_equals(struct http_view view, const char *string);

struct http_request {
    struct http_view method;
    struct http_view path;  /* raw, without the query */
    struct http_view query; /* raw, without the question mark; empty if there is none */
    struct http_view body;
    struct http_view parameters[HTTP_PARAMETERS]; /* what the {} of its route stand for, raw */
};

struct http_reply {
    unsigned status;
    const char *content_type;      /* a constant; NULL: none */
    const char *allow[HTTP_ALLOW]; /* constants, an `allow` field each */
    unsigned allow_count;
    struct body_text body; /* not sent with 204 */
};

void http_reply_init(struct http_reply *reply);
void http_reply_done(struct http_reply *reply);

/* Each of these makes the reply complete; a body written before is replaced, except by
 * http_reply_json, which names what the body is. */
void http_reply_text(struct http_reply *reply, unsigned status, const char *text);
void http_reply_json(struct http_reply *reply);
void http_reply_nothing(struct http_reply *reply); /* 204 */
void http_reply_fault(struct http_reply *reply);   /* 500; the cause was logged */

#endif
