/*
 * How much of one answer may be on its way to a client that has not taken it yet: 64 KiB at first,
 * doubling while the client consumes whole windows, as long as all windows of the worker together
 * stay within the body budget. One thread.
 */
#ifndef BACKEND_RECEIVE_WINDOW_H
#define BACKEND_RECEIVE_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RECEIVE_WINDOW_FIRST_BYTES = 64 * 1024 - 1, RECEIVE_WINDOW_MAX_BYTES = 512 * 1024 };

/* Shared by all answers of a worker. */
struct body_budget {
    size_t limit;
    size_t granted; /* what windows have grown by, together */
};

struct receive_window {
    struct body_budget *budget;
    uint32_t size;
    uint32_t held;     /* delivered, not consumed yet */
    uint64_t consumed; /* since the window last grew */
};

void receive_window_init(struct receive_window *window, struct body_budget *budget);

/* Gives grown size back to the budget. */
void receive_window_done(struct receive_window *window);

static inline void receive_window_delivered(struct receive_window *window, size_t length)
{
    window->held += (uint32_t)length;
}

/* True when the window grew by this. */
bool receive_window_consumed(struct receive_window *window, size_t length);

#endif
