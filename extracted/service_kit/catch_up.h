/*
 * Reads a feed to its end at once, for a reply that misses a row which somebody may have made
 * elsewhere a moment ago. What comes is applied as always; the follower goes on undisturbed. The
 * loop's thread.
 */
#ifndef SERVICE_KIT_CATCH_UP_H
#define SERVICE_KIT_CATCH_UP_H

#include "extracted/service_kit/http_message.h"

/* More than for a name: without the row there is nothing to answer. */
enum { CATCH_UP_MS = 500 };

enum catch_up_state {
    CATCH_UP_RUNS,    /* the reply waits, return at once */
    CATCH_UP_REACHED, /* all that there was at the sources is here */
    CATCH_UP_BROKE,   /* one of them did not answer, or has more than a batch */
};

/* Once for each reply: the same feed each time. */
enum catch_up_state catch_up_feed(const struct http_request *request, struct http_reply *reply,
                                  const char *feed);

#endif
