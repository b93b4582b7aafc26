/*
 * What a request asks, and what the forum answers: no HTTP library is known here.
 * A request is borrowed for the length of the call. A reply is owned by the web server, which
 * makes it with reply_init and ends it with reply_done.
 */
#ifndef MONOLITH_REPLY_H
#define MONOLITH_REPLY_H

#include "monolith_stub/text.h"

enum { REQUEST_PARAMETERS = 4, REPLY_BODY_LIMIT = 8 * 1024 * 1024, REPLY_ALLOW_LIMIT = 8 };

/* A part of somebody else's text, not ended by a NUL. */
struct text_view {
    const char *bytes;
    size_t length;
};

struct request {
    const char *method;
    struct text_view path;                           /* raw: not decoded, without the query */
    struct text_view parameters[REQUEST_PARAMETERS]; /* the {…} of its route, raw */
};

/* A body that is made while it is sent. */
struct reply_stream {
    /* Appends the next part; an empty part is the end. False: the body cannot be completed. */
    bool (*next)(void *context, struct text *part);
    void (*free)(void *context);
    void *context;
};

struct reply {
    unsigned status;
    const char *content_type;             /* NULL: none. A constant */
    const char *allow[REPLY_ALLOW_LIMIT]; /* one `Allow` field each; constants */
    unsigned allow_count;
    struct text body;
    struct reply_stream stream; /* used instead of body if next is set */
};

void reply_init(struct reply *reply);
void reply_done(struct reply *reply);

/* A reply of plain text. */
void reply_text(struct reply *reply, unsigned status, const char *text);

/* 200 and JSON; what the body already has stays. */
void reply_json(struct reply *reply);

/* 204: nothing to say, and no field that says how long nothing is. */
void reply_nothing(struct reply *reply);

/* Something of ours broke: 500, with nothing of what was half done. */
void reply_fault(struct reply *reply);

#endif
