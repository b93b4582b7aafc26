#include "proxy/shadow/shadow_queue.h"

#include "proxy/shadow/shadow_internal.h"

void shadow_queue_append_take(struct shadow_queue *queue, struct shadow *shadow)
{
    shadow->next_in_queue = NULL;
    if (queue->last != NULL)
        queue->last->next_in_queue = shadow;
    else
        queue->first = shadow;
    queue->last = shadow;
    queue->count++;
}

void shadow_queue_append_all_take(struct shadow_queue *queue, struct shadow_queue *more)
{
    if (more->first == NULL)
        return;
    if (queue->last != NULL)
        queue->last->next_in_queue = more->first;
    else
        queue->first = more->first;
    queue->last = more->last;
    queue->count += more->count;
    *more = (struct shadow_queue){.count = 0};
}

struct shadow *shadow_queue_take_first(struct shadow_queue *queue)
{
    struct shadow *shadow = queue->first;
    if (shadow == NULL)
        return NULL;
    queue->first = shadow->next_in_queue;
    queue->last = queue->first != NULL ? queue->last : NULL;
    queue->count--;
    return shadow;
}
