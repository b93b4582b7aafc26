/*
 * Requests that one client has withdrawn before an answer began. Their endpoints may work on them
 * all the same, so they count for the client's limit of streams until that is over: who cancels
 * cannot ask for more at once than who waits (CVE-2023-44487, RFC 9113 section 10.5). Counted: held
 * by the client's session and by each connection that waits for its endpoint to let go. One thread.
 */
#ifndef BACKEND_WITHDRAWN_H
#define BACKEND_WITHDRAWN_H

#include <stdbool.h>
#include <stdint.h>

struct withdrawn {
    uint32_t holders;
    uint32_t awaited;  /* over HTTP/1.1, where an endpoint is seen to let go */
    uint32_t recent;   /* over h2, where none is: in this period, */
    uint32_t previous; /* and in the one before */
    uint64_t period;
};

/* Held once. */
struct withdrawn *withdrawn_new(void);
struct withdrawn *withdrawn_ref(struct withdrawn *withdrawn);
void withdrawn_unref(struct withdrawn *withdrawn);

/* One more, over h2. */
void withdrawn_note(struct withdrawn *withdrawn, uint64_t now_ms);

/* How many endpoints may still work on. */
uint32_t withdrawn_count(struct withdrawn *withdrawn, uint64_t now_ms);

#endif
