/*
 * One HTTP/2 stream: the request as it arrives, then the reply as it leaves.
 * Owner: its h2_session, from the first header block until nghttp2 closes the stream.
 * The loop's thread.
 */
#ifndef SERVICE_KIT_H2_STREAM_H
#define SERVICE_KIT_H2_STREAM_H

#include <nghttp2/nghttp2.h>

#include "extracted/service_kit/router.h"

struct h2_session;

/* How far a request that is complete has come. */
enum h2_stage {
    H2_STAGE_NEW,
    H2_STAGE_HELD,  /* back, for as long as the knobs say */
    H2_STAGE_ASKED, /* its route was; that may be asked again */
};

enum { H2_HEAD_LIMIT = 64 * 1024 }; /* bytes of a head, counted as RFC 9113 section 6.5.2 does */

struct h2_stream {
    struct h2_stream *next; /* the session's list */
    struct h2_stream *previous;
    struct h2_session *session;     /* its owner */
    struct h2_stream *next_waiting; /* the server's list of streams whose reply waits */
    struct h2_stream *previous_waiting;
    bool is_waiting;
    int32_t id;
    nghttp2_rcbuf *method; /* counted references; NULL until they came */
    nghttp2_rcbuf *path;
    nghttp2_rcbuf *authority;
    nghttp2_rcbuf *content_type;
    nghttp2_rcbuf *origin;
    nghttp2_rcbuf *forwarded_proto;
    struct body_text cookies; /* joined: there may be several fields */
    size_t head_bytes;
    struct http_request request; /* views into the two above and into body */
    struct body_text body;
    const struct http_route *route; /* NULL: none takes it */
    bool expects_continue;          /* RFC 9110 section 10.1.1 */
    bool request_ended;
    enum h2_stage stage;
    bool is_deferred; /* due, but the session has enough replies to send */
    bool answered;
    struct http_reply reply;
    size_t reply_sent; /* bytes of the reply's body */
};

/* What answers, for all streams of a server. */
struct h2_service {
    struct router router;
    struct database *database;
    struct service_state *state; /* handed to the routes */
    struct knobs knobs;
};

/* NULL: no memory. */
struct h2_stream *h2_stream_new(int32_t id);
void h2_stream_free(struct h2_stream *stream);

/* Keeps a field if it matters, counts it in any case. */
void h2_stream_add_field(struct h2_stream *stream, nghttp2_rcbuf *name, nghttp2_rcbuf *value);

/* After the request's header block: finds the route. */
void h2_stream_end_head(struct h2_stream *stream, const struct h2_service *service);

/* Asks for the body if the client waits to be asked. Returns 0 or a nghttp2 error. */
int h2_stream_invite_body(struct h2_stream *stream, nghttp2_session *session);

/* Keeps body bytes if the route wants them. */
void h2_stream_add_body(struct h2_stream *stream, const uint8_t *bytes, size_t length);

/* Whether the reply is due: the request is complete, or already too large to go on. */
bool h2_stream_is_due(const struct h2_stream *stream);

/* Makes the reply. False: it waits (reply.wait_until says how long) and is to be made again. On
 * last call no reply waits. now is the loop's time in seconds. */
bool h2_stream_make_reply(struct h2_stream *stream, const struct h2_service *service, double now,
                          bool is_last_call);

/* Submits the reply, once. date is the `date` field's value. Returns 0 or a nghttp2 error. */
int h2_stream_submit(struct h2_stream *stream, nghttp2_session *session, const char *date);

#endif
