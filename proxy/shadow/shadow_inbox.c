#include "proxy/shadow/shadow_inbox.h"

#include "proxy/shadow/shadow_internal.h"

void shadow_inbox_init(struct shadow_inbox *inbox, struct loop *loop)
{
    inbox->loop = loop;
    inbox->first = NULL;
    atomic_init(&inbox->filled, false);
    pthread_mutex_init(&inbox->lock, NULL);
}

void shadow_inbox_done(struct shadow_inbox *inbox)
{
    pthread_mutex_destroy(&inbox->lock);
}

void shadow_inbox_post_take(struct shadow_inbox *inbox, struct shadow *shadow)
{
    pthread_mutex_lock(&inbox->lock);
    shadow->next_in_queue = inbox->first;
    inbox->first = shadow;
    atomic_store_explicit(&inbox->filled, true, memory_order_release);
    pthread_mutex_unlock(&inbox->lock);
    loop_wake(inbox->loop);
}

struct shadow *shadow_inbox_take_all(struct shadow_inbox *inbox)
{
    if (!atomic_load_explicit(&inbox->filled, memory_order_acquire))
        return NULL;
    pthread_mutex_lock(&inbox->lock);
    struct shadow *shadows = inbox->first;
    inbox->first = NULL;
    atomic_store_explicit(&inbox->filled, false, memory_order_relaxed);
    pthread_mutex_unlock(&inbox->lock);
    return shadows;
}
