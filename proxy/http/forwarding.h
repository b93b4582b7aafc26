/*
 * What a proxy adds to and takes from a message that it passes on (RFC 9110 section 7.6, RFC 7239,
 * W3C Trace Context). Pure, apart from the arena. One thread.
 */
#ifndef HTTP_FORWARDING_H
#define HTTP_FORWARDING_H

#include "proxy/http/message.h"

enum forward_field {
    FORWARD_X_FORWARDED_FOR = 1u << 0,
    FORWARD_X_FORWARDED_PROTO = 1u << 1,
    FORWARD_X_FORWARDED_HOST = 1u << 2,
    FORWARD_FORWARDED = 1u << 3,
    FORWARD_VIA = 1u << 4,
    FORWARD_X_REQUEST_ID = 1u << 5,
    FORWARD_TRACEPARENT = 1u << 6,
    FORWARD_ALL = (1u << 7) - 1,
};

enum { FORWARD_FIELD_COUNT = 7 };

/* The name of bit 0 … FORWARD_FIELD_COUNT - 1: "x-forwarded-for" … */
struct strview forward_field_name(uint32_t bit);

/* The field called so in any case, or 0. */
uint32_t forward_field_parse(struct strview name);

enum { REQUEST_ID_BYTES = 36, TRACEPARENT_BYTES = 55, FORWARDING_RANDOM_BYTES = 34 };

/* Fields by which a client chooses a side; for the proxy alone, whoever sends them. */
#define OVERRIDE_SIDE_FIELD "x-strangler-side"
#define OVERRIDE_TOKEN_FIELD "x-strangler-token"

/* How the names of the proxy's own short-lived cookies begin. */
#define PROXY_COOKIE_PREFIX "strangler_pin_"

/* Might there be such a cookie? Cheap, for the many requests that have none. */
bool forwarding_may_have_proxy_cookie(const struct headers *headers);

struct forwarding_facts {
    uint32_t fields;                   /* set of enum forward_field */
    struct strview connection_address; /* text of the connection's other end */
    struct strview original_path; /* not empty: the path was rewritten, this is what was asked */
    struct strview version; /* of the protocol that the request came by: "2.0", "1.1" or "1.0" */
    bool trusted;           /* the connection's other end is a trusted proxy */
    struct strview dropped_cookie; /* the name of one that no backend sees; may be empty */
    uint64_t now_ms;               /* Unix time, for UUIDv7 */
    /* FORWARDING_RANDOM_BYTES for ids of ours, UUID_RANDOM_BYTES where no traceparent is forwarded.
     * NULL: none is forwarded, nor wanted otherwise. */
    const uint8_t *random;
};

struct forwarding_result {
    struct strview request_id;  /* also when not forwarded; empty: it would have been ours */
    struct strview traceparent; /* empty unless the field is forwarded or kept */
};

/*
 * The fields to send to a backend for `request`: its own without hop-by-hop ones (RFC 9110 section
 * 7.6.1, and those that Connection names, but never Host, Content-Length, Authorization or
 * X-Forwarded-*), without those that only we may say (x-strangler-*, Proxy, and the forwarded ones
 * unless the sender is trusted), without what is meant for us (overrides and their token, pins),
 * plus ours. Cookie crumbs are joined (RFC 9113 section 8.2.3).
 * Content-Length and Host are left to the codec.
 */
void forwarding_request(const struct request_head *request, const struct forwarding_facts *facts,
                        struct arena *arena, struct headers *ret_headers,
                        struct forwarding_result *ret_result);

/* The fields of a backend's answer that may pass to the client: no hop-by-hop ones. */
void forwarding_response(const struct response_head *response, struct arena *arena,
                         struct headers *ret_headers);

/* Trailer fields that may pass: nothing that frames, routes or authenticates (RFC 9110 section
 * 6.5.1). */
void forwarding_trailers(const struct headers *trailers, struct arena *arena,
                         struct headers *ret_trailers);

/* The address that asked, seen through trusted proxies: the last untrusted one of x-forwarded-for.
 * Implemented over plain views, so that it can be tested. Empty: the connection's other end. */
struct strview forwarding_client_text(const struct request_head *request,
                                      bool (*is_trusted)(const void *context, struct strview ip),
                                      const void *context);

#endif
