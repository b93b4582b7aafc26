/* Shadows on their way from the compare thread back to their worker. */
#ifndef SHADOW_SHADOW_INBOX_H
#define SHADOW_SHADOW_INBOX_H

#include <pthread.h>

#include "proxy/net/loop.h"

struct shadow;

struct shadow_inbox {
    pthread_mutex_t lock;
    struct loop *loop; /* woken by a post */
    struct shadow *first;
    _Atomic bool filled;
};

void shadow_inbox_init(struct shadow_inbox *inbox, struct loop *loop);
void shadow_inbox_done(struct shadow_inbox *inbox);

/* Any thread. Takes the shadow. */
void shadow_inbox_post_take(struct shadow_inbox *inbox, struct shadow *shadow);

/* The worker's thread: all there are, linked by next_in_queue, the caller's then; or NULL. Costs a
 * load when there is none. */
struct shadow *shadow_inbox_take_all(struct shadow_inbox *inbox);

#endif
