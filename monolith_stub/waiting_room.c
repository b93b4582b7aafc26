#include "monolith_stub/waiting_room.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "monolith_stub/clock.h"

struct waiting_room {
    pthread_mutex_t lock;
    pthread_cond_t changed; /* on the steady clock */
    pthread_t thread;
    bool has_thread;
    bool is_closed;
    bool stops;
    uint64_t count;
    unsigned news; /* feeds announced since the thread last looked */
    struct waiter *waiting;
};

/* Takes those out whose wait is over. */
static struct waiter *take_due(struct waiting_room *room, int64_t now_ms)
{
    struct waiter *due = NULL;
    struct waiter **link = &room->waiting;
    while (*link != NULL) {
        struct waiter *waiter = *link;
        bool has_news = (waiter->feeds & room->news) != 0 && waiter->seen != room->count;
        if (!room->is_closed && !has_news && waiter->deadline_ms > now_ms) {
            link = &waiter->next;
            continue;
        }
        *link = waiter->next;
        waiter->next = due;
        due = waiter;
    }
    room->news = 0;
    return due;
}

static void wake_all(struct waiter *due)
{
    while (due != NULL) {
        struct waiter *next = due->next; /* the waiter is gone once it is awake */
        due->wake(due->context);
        due = next;
    }
}

static void sleep_until_next(struct waiting_room *room)
{
    if (room->waiting == NULL) {
        pthread_cond_wait(&room->changed, &room->lock);
        return;
    }
    int64_t deadline_ms = INT64_MAX;
    for (const struct waiter *at = room->waiting; at != NULL; at = at->next)
        deadline_ms = at->deadline_ms < deadline_ms ? at->deadline_ms : deadline_ms;
    struct timespec until = {.tv_sec = deadline_ms / 1000,
                             .tv_nsec = (deadline_ms % 1000 + 1) * 1000000};
    if (until.tv_nsec >= 1000000000) {
        until.tv_nsec -= 1000000000;
        until.tv_sec++;
    }
    pthread_cond_timedwait(&room->changed, &room->lock, &until);
}

static void *run_room(void *context)
{
    struct waiting_room *room = context;
    pthread_mutex_lock(&room->lock);
    for (;;) {
        struct waiter *due = take_due(room, clock_steady_ms());
        if (due != NULL) {
            pthread_mutex_unlock(&room->lock);
            wake_all(due);
            pthread_mutex_lock(&room->lock);
        } else if (room->stops) {
            break;
        } else {
            sleep_until_next(room);
        }
    }
    pthread_mutex_unlock(&room->lock);
    return NULL;
}

struct waiting_room *waiting_room_new(void)
{
    struct waiting_room *room = calloc(1, sizeof(*room));
    if (room == NULL)
        return NULL;
    pthread_condattr_t steady;
    pthread_condattr_init(&steady);
    pthread_condattr_setclock(&steady, CLOCK_MONOTONIC);
    pthread_mutex_init(&room->lock, NULL);
    pthread_cond_init(&room->changed, &steady);
    pthread_condattr_destroy(&steady);
    room->has_thread = pthread_create(&room->thread, NULL, run_room, room) == 0;
    if (room->has_thread)
        return room;
    waiting_room_free(room);
    return NULL;
}

void waiting_room_close(struct waiting_room *room)
{
    pthread_mutex_lock(&room->lock);
    room->is_closed = true;
    pthread_cond_signal(&room->changed);
    pthread_mutex_unlock(&room->lock);
}

void waiting_room_free(struct waiting_room *room)
{
    if (room == NULL)
        return;
    if (room->has_thread) {
        pthread_mutex_lock(&room->lock);
        room->is_closed = room->stops = true;
        pthread_cond_signal(&room->changed);
        pthread_mutex_unlock(&room->lock);
        pthread_join(room->thread, NULL);
    }
    pthread_cond_destroy(&room->changed);
    pthread_mutex_destroy(&room->lock);
    free(room);
}

bool waiting_room_is_closed(struct waiting_room *room)
{
    pthread_mutex_lock(&room->lock);
    bool is_closed = room->is_closed;
    pthread_mutex_unlock(&room->lock);
    return is_closed;
}

uint64_t waiting_room_count(struct waiting_room *room)
{
    pthread_mutex_lock(&room->lock);
    uint64_t count = room->count;
    pthread_mutex_unlock(&room->lock);
    return count;
}

void waiting_room_enter(struct waiting_room *room, struct waiter *waiter)
{
    pthread_mutex_lock(&room->lock);
    waiter->next = room->waiting;
    room->waiting = waiter;
    if (waiter->feeds != 0 && waiter->seen != room->count)
        room->news |= waiter->feeds;
    pthread_cond_signal(&room->changed);
    pthread_mutex_unlock(&room->lock);
}

void waiting_room_announce(struct waiting_room *room, unsigned feeds)
{
    pthread_mutex_lock(&room->lock);
    room->count++;
    room->news |= feeds;
    pthread_cond_signal(&room->changed);
    pthread_mutex_unlock(&room->lock);
}
