/*
 * The version-neutral message between the protocol codecs: what an HTTP/1 or HTTP/2 session read,
 * before anything is decided about it. Bytes live in the exchange's arena. One thread.
 */
#ifndef HTTP_MESSAGE_H
#define HTTP_MESSAGE_H

#include "proxy/http/headers.h"
#include "proxy/http/method.h"
#include "proxy/http/path.h"

enum { CONTENT_LENGTH_UNKNOWN = -1 };

/* Why a request is refused; `status` 0 means that it is fine. */
struct request_verdict {
    int status;
    const char *detail; /* one sentence for the client; static */
};

struct request_head {
    enum http_method method;
    struct strview method_text;
    struct strview scheme;    /* "http" or "https" */
    struct strview authority; /* host[:port], lower case; from :authority or Host */
    struct strview target;    /* path and query as the client sent them */
    struct strview path;      /* canonical, without query; see http/path.h */
    struct strview query;     /* from the '?' on, or empty */
    enum path_kind path_kind;
    struct headers headers; /* without pseudo-fields and without Host */
    int64_t content_length; /* CONTENT_LENGTH_UNKNOWN when not announced */
    bool has_body;          /* false: the head ended the message */
    bool asks_websocket;    /* by Upgrade, or by an extended CONNECT (RFC 8441) */
    bool is_connect;        /* the latter: it stands for a GET, but has no plain answer */
    bool has_host;
    struct strview host;            /* as Host said, lower case; `authority` is what counts */
    struct request_verdict refusal; /* by the codec: the request could not be read as a whole */
};

struct response_head {
    int status; /* 100 … 599 */
    struct headers headers;
    int64_t content_length;
    bool has_body; /* false: the head ended the message */
};

/* 204 and 304 never have content, nor an answer to HEAD (RFC 9110 section 6.4.1). */
bool response_has_no_content(enum http_method request_method, int status);

#endif
