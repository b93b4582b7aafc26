/*
 * Who asks: what the cookies of a request say. Part of the request; owned by its exchange.
 */
#ifndef MONOLITH_VISITOR_H
#define MONOLITH_VISITOR_H

#include <stdbool.h>
#include <stdint.h>

#include "monolith_stub/people/token.h"

enum { VISITOR_NAME_BYTES = 64 };

enum visitor_state {
    VISITOR_UNREAD,    /* nobody has looked yet */
    VISITOR_ASK_OTHER, /* only the other side can tell whether the session is good */
    VISITOR_READ,
};

struct visitor {
    enum visitor_state state;
    int64_t user; /* 0: not logged in */
    char username[VISITOR_NAME_BYTES];
    struct token sid;  /* set only if logged in (or while in VISITOR_ASK_OTHER) */
    struct token vsid; /* of visitors without a session */
    bool is_unsure;    /* not logged in, as far as we know: who would know did not answer */
};

struct forum;
struct outcome;
struct request;

/* Reads cookies and our own copy of the sessions; leaves VISITOR_ASK_OTHER or VISITOR_READ. */
void visitor_read(struct forum *forum, struct request *request);

/* From VISITOR_ASK_OTHER to VISITOR_READ; takes as long as ask_session. */
void visitor_ask_other(struct forum *forum, struct request *request);

/* What to say to somebody who has to be logged in and is not. */
struct outcome visitor_refusal(const struct visitor *visitor);

/* What the forms' CSRF word is made from: the session, or the visitor's own token. */
const struct token *visitor_token(const struct visitor *visitor);

#endif
