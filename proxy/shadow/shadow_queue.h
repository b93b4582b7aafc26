/* Shadows that wait, first come first; whoever has the queue has them. */
#ifndef SHADOW_SHADOW_QUEUE_H
#define SHADOW_SHADOW_QUEUE_H

#include <stddef.h>
#include <stdint.h>

struct shadow;

struct shadow_queue {
    struct shadow *first; /* linked by next_in_queue */
    struct shadow *last;
    uint32_t count;
};

void shadow_queue_append_take(struct shadow_queue *queue, struct shadow *shadow);

/* All of `more`, which is empty then. */
void shadow_queue_append_all_take(struct shadow_queue *queue, struct shadow_queue *more);

/* NULL when it is empty. */
struct shadow *shadow_queue_take_first(struct shadow_queue *queue);

#endif
