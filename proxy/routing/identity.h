/*
 * What makes two requests the same user: the first source in a list that applies. Pure: the caller
 * passes the client's address and the randomness. Any thread.
 */
#ifndef ROUTING_IDENTITY_H
#define ROUTING_IDENTITY_H

#include "proxy/http/message.h"
#include "proxy/net/address.h"

enum identity_kind {
    IDENTITY_ASSIGN,  /* the cookie strangler_id, set on page loads */
    IDENTITY_ADDRESS, /* the client's address; IPv6 by /64 */
    IDENTITY_COOKIE,
    IDENTITY_HEADER,
    IDENTITY_NONE, /* ends the list: legacy */
};

struct identity_source {
    enum identity_kind kind;
    struct strview name; /* of the cookie or the (lower-case) header field */
};

/* "assign", "address", "none", "cookie:NAME", "header:NAME". The name views `text`; header names
 * have to be lower-cased by the caller. False when malformed. */
bool identity_source_parse(struct strview text, struct identity_source *ret_source);

enum { IDENTITY_ASSIGNED_BYTES = 32, IDENTITY_RANDOM_BYTES = 16 };

#define IDENTITY_COOKIE_NAME "strangler_id"

struct identity {
    struct strview value; /* views the request, or arena memory; empty: nobody */
    enum identity_kind kind;
    bool assigned; /* a new strangler_id: the answer should set the cookie */
};

struct identity_facts {
    struct ip_address client;
    const uint8_t *random; /* IDENTITY_RANDOM_BYTES of it; used only to assign */
};

/*
 * The identity of a request. `assign` makes a new one only for a page load: GET whose Accept names
 * text/html. A strangler_id cookie counts only in the form that we give out (32 lower-case
 * hexadecimal digits), so that nobody picks a bucket by hand more easily than by trying.
 */
struct identity identity_of(const struct identity_source *sources, size_t count,
                            const struct request_head *request, const struct identity_facts *facts,
                            struct arena *arena);

#endif
