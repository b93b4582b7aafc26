/*
 * Requests of ours to other applications: libcurl within the service's loop, nothing blocks.
 * Owner: the running service. The loop's thread.
 */
#ifndef SERVICE_KIT_HTTP_CLIENT_H
#define SERVICE_KIT_HTTP_CLIENT_H

#include "extracted/service_kit/body_text.h"

struct ev_loop;
struct http_client;
struct http_call;

struct http_outcome {
    unsigned status;   /* 0: no whole answer came */
    const char *fault; /* why not */
    const char *body;  /* never NULL */
    size_t body_bytes;
    int64_t feed_last; /* the field x-feed-last; -1: it was not there or is no number */
};

struct http_call_plan {
    const char *url;       /* copied */
    const char *post_json; /* copied; NULL: a GET */
    bool is_http2;         /* cleartext, prior knowledge; else HTTP/1.1 */
    int64_t timeout_ms;
    size_t body_limit; /* bytes; a longer answer is no answer */
    void (*on_answer)(void *context, const struct http_outcome *outcome);
    void *context;
};

/* The loop is borrowed for life. NULL: no memory. */
struct http_client *http_client_new(struct ev_loop *loop);

/* Ends calls that run without a word. */
void http_client_free(struct http_client *client);

/* The answer comes later, never from within this call, and the call is gone after it. NULL: no
 * memory, and no answer will come. */
struct http_call *http_client_start(struct http_client *client, const struct http_call_plan *plan);

/* Ends a call before its answer. */
void http_call_cancel(struct http_call *call);

#endif
