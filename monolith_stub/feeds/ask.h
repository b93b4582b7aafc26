/*
 * What cannot wait for the next poll is asked of the services at once. Each of these takes time:
 * not on a thread of the web server.
 */
#ifndef MONOLITH_ASK_H
#define MONOLITH_ASK_H

#include <stdbool.h>

#include "monolith_stub/feeds/feed.h"
#include "monolith_stub/forum.h"

struct session;

enum {
    ASK_SESSION_MS = 150,          /* about one that we know */
    ASK_UNKNOWN_SESSION_MS = 1000, /* without an answer somebody would be taken for a stranger */
    ASK_EVENTS_MS = 500
};

enum ask_answer { ASK_YES, ASK_NO, ASK_NOTHING };

/* The users service about a session. Yes sets all of it; an empty username was not told. */
enum ask_answer ask_session(struct forum *forum, const char *hash, long patience_ms,
                            struct session *ret_session);

/* Reads a followed feed to its end, for up to ASK_EVENTS_MS: a row that was made elsewhere a
 * moment ago is here then. False: the service did not answer, or has too much to tell. */
bool ask_events(struct forum *forum, enum feed feed);

#endif
