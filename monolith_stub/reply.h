/*
 * What the forum answers: no HTTP library is known here. A reply is owned by the web server,
 * which makes it with reply_init and ends it with reply_done.
 */
#ifndef MONOLITH_REPLY_H
#define MONOLITH_REPLY_H

#include <stdint.h>

#include "monolith_stub/request.h"
#include "monolith_stub/text.h"

enum {
    REPLY_BODY_LIMIT = 8 * 1024 * 1024,
    REPLY_ALLOW_LIMIT = 8,
    REPLY_FIELD_LIMIT = 6,
    REPLY_FIELD_BYTES = 256
};

/* A body that is made while it is sent. */
struct reply_stream {
    /* Appends the next part; an empty part is the end. False: the body cannot be completed. */
    bool (*next)(void *context, struct text *part);
    void (*free)(void *context);
    void *context;
};

/* Not yet: ask again when one of these feeds has news, or at the deadline. */
struct reply_wait {
    unsigned feeds; /* 0: the reply is complete */
    int64_t deadline_ms;
    uint64_t seen;
};

struct reply {
    unsigned status;
    const char *content_type;             /* NULL: none. A constant */
    const char *allow[REPLY_ALLOW_LIMIT]; /* one `Allow` field each; constants */
    unsigned allow_count;
    struct text fields; /* further fields: name NUL value NUL … */
    struct text body;
    struct reply_stream stream; /* used instead of body if next is set */
    struct reply_wait wait;
};

void reply_init(struct reply *reply);
void reply_done(struct reply *reply);

/* A reply of plain text. */
void reply_text(struct reply *reply, unsigned status, const char *text);

/* 200 and JSON; what the body already has stays. */
void reply_json(struct reply *reply);

/* 204: nothing to say, and no field that says how long nothing is. */
void reply_nothing(struct reply *reply);

/* 303 to a path of ours. */
void reply_see_other(struct reply *reply, const char *location);

/* Adds a field. Neither name nor value may hold control characters. */
void reply_field(struct reply *reply, const char *name, const char *value);

/* Something of ours broke: 500, with nothing of what was half done. */
void reply_fault(struct reply *reply);

#endif
