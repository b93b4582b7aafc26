/*
 * An HTTP/2 session from inside: shared by http2_session.c (the connection), http2_frames.c (what
 * comes and goes as frames) and http2_stream.c (one request and what its exchange asks for).
 */
#ifndef CLIENT_HTTP2_INTERNAL_H
#define CLIENT_HTTP2_INTERNAL_H

#include "proxy/client/http2_session.h"
#include "proxy/core/allowance.h"
#include "proxy/http2/http2_memory.h"
#include "proxy/http2/http2_output.h"

/*
 * Streams that end before their answer did, by the client's reset or by ours: each costs a backend
 * more than the client (CVE-2023-44487, CVE-2025-8671). A browser that leaves a page cancels some
 * dozens at once; who goes on is sent away.
 */
enum { RESETS_AT_ONCE = 256, RESETS_A_SECOND = 20 };

/*
 * Frames that move nothing: each costs little, but a client that sends nothing else costs a core
 * (CVE-2019-9512 to 9518). What is asked for and what is read earns more of them, since requests
 * come with priorities and answers are taken with window updates.
 */
enum { IDLE_FRAMES_AT_ONCE = 2000, IDLE_FRAMES_A_SECOND = 100, IDLE_FRAMES_EARNED = 10 };

enum { HTTP2_GAPS = 8, HTTP2_RESETS = 128 };

/* Between the number before and the one after, no stream was opened. */
struct http2_gap {
    int32_t before;
    int32_t after;
};

/* What is remembered of a client's frames, to find those that break a rule: http2_rules.c. */
struct http2_rules {
    int32_t last_id; /* the highest stream that the client has opened */
    uint32_t gap_count;
    struct http2_gap gaps[HTTP2_GAPS]; /* the newest */
    int32_t *resets;                   /* the newest streams that we have reset; NULL: none yet */
    uint32_t reset_count;
    int32_t forgotten; /* the highest of those that were pushed out of them */
    int64_t initial_window;
    int64_t largest_window; /* of the streams, before the settings under way */
    uint32_t skip;          /* bytes until the next head of a frame: nghttp2 says nothing of DATA
                               frames that it ignores */
    uint8_t head[13];       /* and what a PRIORITY frame depends on */
    uint8_t head_bytes;
};

struct http2_session {
    struct client_connection *connection;
    nghttp2_session *session;
    struct http2_memory memory;
    struct list streams;
    struct http2_stream *recent; /* asked for last: most events of a stream follow one another */
    uint32_t stream_count;
    struct deadline drain; /* until the second GOAWAY */
    struct deadline head;  /* a header block that has begun has to end */
    int32_t open_head;     /* its stream; 0: none */
    struct allowance resets;
    struct withdrawn *withdrawn; /* a reference */
    struct allowance idle_frames;
    struct http2_rules rules;
    bool sent_away; /* for what it did */
    bool draining;
    bool said_last_stream;
};

/* One request and its answer. Lies in its own arena, as does the exchange. */
struct http2_stream {
    struct http2_session *session;
    struct list node;
    int32_t id;
    struct arena arena;
    struct request_head request;
    size_t surplus_bytes; /* of fields over the limit */
    struct headers request_trailers;
    struct exchange *exchange; /* NULL until the head is complete, and while it lingers */
    bool request_ended;
    bool answered;     /* END_STREAM has left */
    bool tunnel;       /* both directions end by themselves */
    bool cut;          /* by us, for a fault that is not the client's */
    size_t unconsumed; /* of the request body, for the windows */
    struct deadline linger;

    struct http2_body body; /* of the answer */
};

static inline struct exchange_environment *http2_exchanges(const struct http2_session *session)
{
    return session->connection->environment->exchanges;
}

/* NULL when it is not open any more. */
static inline struct http2_stream *http2_stream_by_id(struct http2_session *session, int32_t id)
{
    if (session->recent == NULL || session->recent->id != id)
        session->recent = nghttp2_session_get_stream_user_data(session->session, id);
    return session->recent;
}

static inline bool http2_stream_lingers(const struct http2_stream *stream)
{
    return stream->answered && stream->exchange == NULL;
}

static inline void http2_flush_soon(struct http2_session *session)
{
    byte_stream_flush_soon(&session->connection->bytes);
}

/* --- http2_frames.c ------------------------------------------------------------------------ */

/* Ends the connection with the error, unless that is none. */
void http2_end_with(struct http2_session *session, uint32_t error);

/* All callbacks of nghttp2. */
void http2_frames_set_callbacks(nghttp2_session_callbacks *callbacks, nghttp2_option *options);

/* --- http2_rules.c ------------------------------------------------------------------------- */

void http2_rules_init(struct http2_rules *rules);

/*
 * How many of the bytes nghttp2 may have before http2_rules_check is asked: all, or all before the
 * head of the next frame that has to be checked is complete (of PRIORITY: what it depends on).
 */
size_t http2_rules_scan(struct http2_rules *rules, const char *data, size_t length);

/* The frame whose head was scanned: the error that the connection is to end with, or NO_ERROR. */
uint32_t http2_rules_check(struct http2_session *session);

/* Any other frame begins: the same. */
uint32_t http2_rules_begin_frame(struct http2_session *session, const nghttp2_frame_hd *head);

/* Settings are in force: the same. */
uint32_t http2_rules_settings(const struct http2_session *session);

/* We have reset the stream, or refused it. */
void http2_rules_reset(struct http2_rules *rules, int32_t id);

void http2_rules_done(struct http2_rules *rules);

/* --- http2_stream.c ------------------------------------------------------------------------ */

struct http2_stream *http2_stream_new(struct http2_session *session, int32_t id);

/* Ends the exchange; nghttp2 must not know the stream's user data any more. */
void http2_stream_free(struct http2_stream *stream);

/* All header fields of the request have come: the exchange begins. */
void http2_stream_head_complete(struct http2_stream *stream, bool ends);

/* END_STREAM has come. */
void http2_stream_request_complete(struct http2_stream *stream);

/*
 * The answer has left before its request was complete. What still comes is dropped for a moment, in
 * which the client reads the answer and stops by itself; only then is it told to (RFC 9113 section
 * 8.1). curl 7.88 and httpx lose an answer that comes together with the reset.
 */
void http2_stream_linger(struct http2_stream *stream);

#endif
