/*
 * One GET that is waited for: only at start, before the service serves. Main thread.
 */
#ifndef SERVICE_KIT_BLOCKING_GET_H
#define SERVICE_KIT_BLOCKING_GET_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct blocking_get {
    const char *url;
    int64_t timeout_ms;
    const volatile sig_atomic_t *stop;                             /* ends it when not zero */
    bool (*take)(void *context, const char *bytes, size_t length); /* false ends it */
    void *context;
    unsigned status;   /* set: 0 if no answer began */
    int64_t feed_last; /* set: the field x-feed-last, or -1 */
    const char *fault; /* set: a constant; NULL if all went well */
};

/* False: *get says how it failed; a status of 400 or more is a failure too. */
bool blocking_get_run(struct blocking_get *get);

#endif
