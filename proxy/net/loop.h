/*
 * One thread's event loop: file descriptors and signals by libev, coarse deadlines in one list a
 * timeout value (no timer object a request), and tasks that run once at the end of the turn, so
 * that all output of a connection in one turn leaves in one write. Not shared between threads; only
 * loop_wake may be called from another.
 */
#ifndef NET_LOOP_H
#define NET_LOOP_H

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>

#include "proxy/core/list.h"

struct loop;
struct task;
struct deadline;

/* Runs at the end of the turn in which it was scheduled, then is idle again. */
struct task {
    struct list node;
    void (*run)(struct task *task);
    uint64_t due_us; /* of one that waits for leisure */
};

struct deadline {
    struct list node;
    uint64_t expires_ms;
    void (*on_expired)(struct deadline *deadline);
};

/* All deadlines of one timeout value, first to expire first. */
struct deadline_list {
    uint64_t timeout_ms;
    struct list deadlines;
};

enum { LOOP_DEADLINE_LISTS = 64, LOOP_DEADLINE_HINTS = 64 };

struct loop {
    struct ev_loop *ev;
    ev_prepare at_turn_end;
    ev_check at_turn_start;
    ev_timer timer;
    ev_async wake;
    void (*on_wake)(struct loop *loop); /* after loop_wake; set before loop_run */
    struct list tasks;
    struct list next_tasks; /* for the next turn */
    ev_idle next_turn;      /* active while there are any: the loop does not block */
    struct list patient_tasks;
    ev_idle leisure; /* active while there are any: the loop does not block */
    struct deadline_list lists[LOOP_DEADLINE_LISTS];
    unsigned list_count;
    uint8_t hints[LOOP_DEADLINE_HINTS]; /* by a timeout's low bits: the list it was last found in */
    uint64_t turn;                      /* counts up */
    uint64_t armed_ms;                  /* when `timer` fires; UINT64_MAX: not armed */
    uint64_t now_ms;                    /* monotonic, read once a turn */
    uint64_t now_us;                    /* the same clock, finer */
    uint64_t wall_ms;                   /* Unix time, read once a turn */
};

void loop_init(struct loop *loop);
void loop_done(struct loop *loop);

/* Returns after loop_break. */
void loop_run(struct loop *loop);
void loop_break(struct loop *loop);

/* From any thread: makes the loop call on_wake soon. Calls may be merged. */
void loop_wake(struct loop *loop);

void task_init(struct task *task, void (*run)(struct task *task));

/* Nothing happens when it is scheduled already. A task scheduled by a task runs in the same turn.
 */
void task_schedule(struct loop *loop, struct task *task);
void task_schedule_next_turn(struct loop *loop, struct task *task); /* others come first */

/*
 * Runs in the first turn that brings nothing else to do, but not later than in the first that ends
 * LOOP_PATIENCE_US from now: for what gets cheaper the more there is of it, and has no reason to
 * wait for more when nothing comes. One that such a task schedules runs in the same turn.
 */
enum { LOOP_PATIENCE_US = 2000 };
void task_schedule_at_leisure(struct loop *loop, struct task *task);

void task_cancel(struct task *task);

/* Runs what is scheduled now, for the end of a loop that does not turn any more. */
void loop_run_tasks(struct loop *loop);

void deadline_init(struct deadline *deadline, void (*on_expired)(struct deadline *deadline));

/*
 * (Re)starts the deadline `timeout_ms` from now; 0 means never. It fires at that time or up to some
 * milliseconds later, once. One that runs to the same time already stays as it is.
 */
void deadline_start(struct loop *loop, struct deadline *deadline, uint64_t timeout_ms);

static inline void deadline_stop(struct deadline *deadline)
{
    list_remove(&deadline->node);
}

static inline bool deadline_is_running(const struct deadline *deadline)
{
    return !list_is_empty(&deadline->node);
}

#endif
