/*
 * Where exchanges wait without a thread: for news in a feed, or just for a while. One thread of
 * the room wakes them.
 * Owner: main. Any thread may enter and announce; wake runs on the room's thread, outside locks.
 */
#ifndef MONOLITH_WAITING_ROOM_H
#define MONOLITH_WAITING_ROOM_H

#include <stdbool.h>
#include <stdint.h>

struct waiting_room;

/* Memory of whoever waits; the room's from waiting_room_enter until wake is called. */
struct waiter {
    struct waiter *next;
    int64_t deadline_ms; /* steady clock */
    unsigned feeds;      /* a bit per feed that wakes; 0: only the deadline does */
    uint64_t seen;       /* waiting_room_count from before it looked and found nothing */
    void (*wake)(void *context);
    void *context;
};

struct waiting_room *waiting_room_new(void);

/* Ends the thread; whoever still waits is woken first. NULL is allowed. */
void waiting_room_free(struct waiting_room *room);

/* Nobody waits from now on: everyone is woken at once. */
void waiting_room_close(struct waiting_room *room);
bool waiting_room_is_closed(struct waiting_room *room);

/* How often news was announced. Ask before looking: news between the look and the wait then
 * ends the wait at once. */
uint64_t waiting_room_count(struct waiting_room *room);

void waiting_room_enter(struct waiting_room *room, struct waiter *waiter);

/* There is news in these feeds. */
void waiting_room_announce(struct waiting_room *room, unsigned feeds);

#endif
