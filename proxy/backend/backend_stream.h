/*
 * One request to an endpoint and its answer, whatever protocol carries it. Opened by an exchange
 * (or a shadow), which owns it until it closes it; events come up to the owner through one table.
 * Everything in one worker's thread.
 *
 * Both directions work by credit. The owner says how much of the answer it has got rid of
 * (backend_stream_consumed) and until then at most the receive window is delivered; the stream says
 * how much of the request body has left (on_request_consumed), and the owner asks its client for no
 * more than that.
 */
#ifndef BACKEND_BACKEND_STREAM_H
#define BACKEND_BACKEND_STREAM_H

#include "proxy/core/buffer.h"
#include "proxy/backend/receive_window.h"
#include "proxy/backend/withdrawn.h"
#include "proxy/http/message.h"

/* What went wrong at an endpoint; the `fault` label in metrics. */
enum backend_fault {
    BACKEND_FAULT_CONNECT, /* refused, unreachable */
    BACKEND_FAULT_CONNECT_TIMEOUT,
    BACKEND_FAULT_RESET,        /* the connection or the stream was cut */
    BACKEND_FAULT_REFUSED,      /* REFUSED_STREAM, or GOAWAY below our stream: not processed */
    BACKEND_FAULT_MALFORMED,    /* the answer breaks its protocol */
    BACKEND_FAULT_HEADER_LIMIT, /* the answer's head is too large */
    BACKEND_FAULT_OVERLOAD,     /* our own limit of connections is reached */
    BACKEND_FAULT_FIRST_BYTE_TIMEOUT, /* this and the next two are set by the owner of the stream */
    BACKEND_FAULT_IDLE_TIMEOUT,
    BACKEND_FAULT_TOTAL_TIMEOUT,
    BACKEND_FAULT_TLS,         /* the handshake failed: a certificate, a name, a protocol */
    BACKEND_FAULT_NO_ENDPOINT, /* none takes requests: drained, or not known yet */
    BACKEND_FAULT_STATUS,      /* 502, 503 or 504 that another side answered in place of */
    BACKEND_FAULT_COUNT
};

/* "connect", "connect_timeout", … */
struct strview backend_fault_name(enum backend_fault fault);

/* Bounds on what a backend may send in one head. */
enum { BACKEND_HEADER_BYTES = 64 * 1024, BACKEND_HEADER_FIELDS = 256, BACKEND_INTERIM_HEADS = 16 };

/* What to send. Borrowed: has to live as long as the stream. */
struct backend_request {
    enum http_method method;
    struct strview method_text;
    struct strview scheme;
    struct strview authority;
    struct strview path;
    struct strview query;          /* with its '?', or empty */
    const struct headers *headers; /* ready to send, without Host and Content-Length */
    int64_t content_length;
    bool has_body;
    bool websocket; /* asks for an Upgrade; HTTP/1.1 only. What follows is a tunnel, if it is taken
                     */
};

/*
 * A tunnel begins with a head of status 101: what is sent and delivered after it is the tunnel's,
 * in both directions, each with an end of its own. Only a request for it is answered so.
 */
struct backend_stream_events {
    /* `connecting` is over: what is sent leaves from now on. May be NULL. Must not close streams.
     */
    void (*on_connected)(void *owner);
    /* A 1xx head (never 101). The head is valid during the call, its bytes live in the arena. */
    void (*on_interim_head)(void *owner, const struct response_head *head);
    void (*on_response_head)(void *owner, const struct response_head *head);
    /* Bytes inside `buffer`, valid during the call; who keeps them takes a reference. */
    void (*on_response_body)(void *owner, struct buffer *buffer, const char *data, size_t length);
    /* The answer is complete; `trailers` may be empty. */
    void (*on_response_end)(void *owner, const struct headers *trailers);
    /* `length` bytes of the request body have left. */
    void (*on_request_consumed)(void *owner, size_t length);
    /*
     * The answer will not be completed. `unprocessed`: the endpoint surely did not act on the
     * request. `reused`: the connection had served another request before, and closed without a
     * byte of answer to this one.
     */
    void (*on_failed)(void *owner, enum backend_fault fault, bool unprocessed, bool reused);
};

struct backend_stream;

struct backend_stream_methods {
    void (*send_body)(struct backend_stream *stream, struct buffer *source, const char *data,
                      size_t length);
    void (*send_end)(struct backend_stream *stream, const struct headers *trailers);
    void (*consumed)(struct backend_stream *stream, size_t length);
    /* `withdrawn`: the client does not wait any more; NULL: there is another reason. */
    void (*close)(struct backend_stream *stream, struct withdrawn *withdrawn);
    bool (*is_sent)(const struct backend_stream *stream);
};

struct backend_stream {
    const struct backend_stream_methods *methods;
    const struct backend_stream_events *events;
    void *owner;
    struct arena *arena; /* the owner's: heads and trailers are put there */
    const struct backend_request *request;
    struct receive_window window;
    bool connecting; /* its connection is being made: nothing leaves yet */
    bool finished;   /* on_response_end or on_failed was called */
};

/* For whoever makes connections. */
static inline void backend_stream_connected(struct backend_stream *stream)
{
    stream->connecting = false;
    if (!stream->finished && stream->events->on_connected != NULL)
        stream->events->on_connected(stream->owner);
}

/* Bytes of the request body; `source` as in byte_queue_append_slice. Not after send_end. */
static inline void backend_stream_send_body(struct backend_stream *stream, struct buffer *source,
                                            const char *data, size_t length)
{
    stream->methods->send_body(stream, source, data, length);
}

/* The request body is complete. Trailers may be NULL. */
static inline void backend_stream_send_end(struct backend_stream *stream,
                                           const struct headers *trailers)
{
    stream->methods->send_end(stream, trailers);
}

/* The owner got rid of `length` bytes of the answer. */
static inline void backend_stream_consumed(struct backend_stream *stream, size_t length)
{
    stream->methods->consumed(stream, length);
}

/* Has the head of the request left? Also asked when the stream has failed; not after close. */
static inline bool backend_stream_is_sent(const struct backend_stream *stream)
{
    return stream->methods->is_sent(stream);
}

/*
 * Gives the stream back; what was not finished is cancelled towards the endpoint. No event comes
 * after this. Has to be called once for each opened stream, also after on_failed.
 */
static inline void backend_stream_close(struct backend_stream *stream)
{
    stream->methods->close(stream, NULL);
}

/* The same, because its client does not wait any more; until the endpoint lets go it counts there.
 */
static inline void backend_stream_withdraw(struct backend_stream *stream,
                                           struct withdrawn *withdrawn)
{
    stream->methods->close(stream, withdrawn);
}

#endif
