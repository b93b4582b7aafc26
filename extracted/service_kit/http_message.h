/*
 * A request and the reply to it, with nothing of HTTP/2 in them.
 * A request is borrowed for one call. A reply belongs to the stream it answers.
 */
#ifndef SERVICE_KIT_HTTP_MESSAGE_H
#define SERVICE_KIT_HTTP_MESSAGE_H

#include "extracted/service_kit/body_text.h"
#include "extracted/service_kit/knobs.h"

enum {
    HTTP_PARAMETERS = 4,                /* {} in one pattern */
    HTTP_ALLOW = 8,                     /* methods of one path */
    HTTP_FIELDS = 4,                    /* further fields of a reply */
    HTTP_FIELD_VALUE = 320,             /* bytes of the value of one, with the NUL */
    HTTP_REPLY_LIMIT = 8 * 1024 * 1024, /* bytes of a reply's body */
};

/* A piece of text owned by somebody else; no NUL ends it. */
struct http_view {
    const char *bytes;
    size_t length;
};

bool http_view_equals(struct http_view view, const char *string);

/* Whether a content-type is this media type, whatever its parameters (RFC 9110 section 8.3). */
bool http_media_type_is(struct http_view content_type, const char *media_type);

struct service_state;

struct http_request {
    struct http_view method;
    struct http_view path;  /* raw, without the query */
    struct http_view query; /* raw, without the question mark; empty if there is none */
    struct http_view body;
    bool body_is_too_large;     /* for the route, which says so in its own words */
    struct http_view authority; /* of these, those that are not there are empty */
    struct http_view content_type;
    struct http_view origin;
    struct http_view cookies;
    struct http_view forwarded_proto;
    struct http_view parameters[HTTP_PARAMETERS]; /* what the {} of its route stand for, raw */
    struct service_state *state; /* the running service, for answers that need more than rows */
    double arrived;              /* when it was complete; the loop's time in seconds */
    double now;                  /* the same clock, now */
    bool is_last_call;           /* the reply cannot wait */
};

/* What a reply that is not made yet waits for. */
enum http_wait {
    HTTP_WAIT_NONE,
    HTTP_WAIT_EVENT, /* the next one of the outbox */
    HTTP_WAIT_TASK,  /* see http_task.h */
    HTTP_WAIT_TIME,  /* to be held back no longer, on purpose */
};

struct http_field {
    const char *name; /* a constant, lower case */
    char value[HTTP_FIELD_VALUE];
};

struct http_reply {
    unsigned status;
    const char *content_type;      /* a constant; NULL: none */
    const char *allow[HTTP_ALLOW]; /* constants, an `allow` field each */
    unsigned allow_count;
    struct http_field fields[HTTP_FIELDS];
    unsigned field_count;
    struct http_task *tasks; /* what it waits for, or waited; see http_task.h */
    bool is_woken;           /* one of them is done: time to ask the route again */
    enum http_wait wait;     /* what for; the route is then asked again */
    double wait_until;       /* and at the latest then: the loop's time */
    enum bug bug;            /* to be made in the JSON of face 2.0, on purpose */
    struct body_text body;   /* not sent with 204 */
};

void http_reply_init(struct http_reply *reply);
void http_reply_done(struct http_reply *reply);

/* Each of these makes the reply complete; a body written before is replaced, except by
 * http_reply_json, which names what the body is. */
void http_reply_text(struct http_reply *reply, unsigned status, const char *text);
void http_reply_json(struct http_reply *reply);
void http_reply_nothing(struct http_reply *reply); /* 204 */
void http_reply_fault(struct http_reply *reply);   /* 500; the cause was logged */
void http_reply_see_other(struct http_reply *reply, const char *location); /* 303 */

/* Instead of a reply: asks the same route again after the next event of the outbox, and at the
 * latest at `until` (the loop's time). Before that the server may stop: then it is asked with
 * is_last_call set. */
void http_reply_wait(struct http_reply *reply, double until);

/* One more field; a value that is too long makes the reply a fault. */
void http_reply_add_field(struct http_reply *reply, const char *constant_name, const char *value);

#endif
