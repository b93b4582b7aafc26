#include "proxy/net/loop.h"

#include <stdlib.h>
#include <time.h>

#include "proxy/core/array.h"
#include "proxy/core/check.h"

static uint64_t clock_us(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static void read_clocks(struct loop *loop)
{
    loop->now_us = clock_us(CLOCK_MONOTONIC);
    loop->now_ms = loop->now_us / 1000;
    loop->wall_ms = clock_us(CLOCK_REALTIME) / 1000;
}

void loop_run_tasks(struct loop *loop)
{
    while (!list_is_empty(&loop->tasks)) {
        struct task *task = LIST_ENTRY(loop->tasks.next, struct task, node);
        list_remove(&task->node);
        task->run(task);
    }
}

/* Only what was there at the start: what these tasks schedule again waits for the turn after. */
static void on_next_turn(struct ev_loop *ev, ev_idle *watcher, int events)
{
    (void)events;
    struct loop *loop = ev_userdata(ev);
    struct task last;
    task_init(&last, NULL);
    list_append(&loop->next_tasks, &last.node);
    while (loop->next_tasks.next != &last.node) {
        struct task *task = LIST_ENTRY(loop->next_tasks.next, struct task, node);
        list_remove(&task->node);
        task->run(task);
    }
    list_remove(&last.node);
    if (list_is_empty(&loop->next_tasks))
        ev_idle_stop(ev, watcher);
}

static void run_patient_tasks(struct loop *loop, uint64_t due_us)
{
    while (!list_is_empty(&loop->patient_tasks)) {
        struct task *task = LIST_ENTRY(loop->patient_tasks.next, struct task, node);
        if (task->due_us > due_us)
            return;
        list_remove(&task->node);
        task->run(task);
    }
    ev_idle_stop(loop->ev, &loop->leisure);
}

static void on_leisure(struct ev_loop *ev, ev_idle *watcher, int events)
{
    (void)watcher, (void)events;
    run_patient_tasks(ev_userdata(ev), UINT64_MAX);
}

static uint64_t earliest_expiry(const struct loop *loop)
{
    uint64_t earliest = UINT64_MAX;
    for (unsigned i = 0; i < loop->list_count; i++) {
        const struct list *list = &loop->lists[i].deadlines;
        if (list_is_empty(list))
            continue;
        const struct deadline *first = LIST_ENTRY(list->next, struct deadline, node);
        if (first->expires_ms < earliest)
            earliest = first->expires_ms;
    }
    return earliest;
}

/*
 * Arms the one timer for the earliest deadline. Deadlines mostly move later, and a timer that fires
 * too early only looks again, so it is touched only when it would fire too late.
 */
static void arm_timer(struct loop *loop)
{
    uint64_t earliest = earliest_expiry(loop);
    if (earliest >= loop->armed_ms)
        return;
    loop->armed_ms = earliest;
    uint64_t wait_ms = earliest > loop->now_ms ? earliest - loop->now_ms : 0;
    ev_timer_stop(loop->ev, &loop->timer);
    ev_timer_set(&loop->timer, (double)wait_ms / 1000.0 + 0.001, 0.0);
    ev_timer_start(loop->ev, &loop->timer);
}

static void on_turn_end(struct ev_loop *ev, ev_prepare *watcher, int events)
{
    (void)watcher, (void)events;
    struct loop *loop = ev_userdata(ev);
    run_patient_tasks(loop, loop->now_us);
    loop_run_tasks(loop);
    arm_timer(loop);
}

static void on_turn_start(struct ev_loop *ev, ev_check *watcher, int events)
{
    (void)watcher, (void)events;
    struct loop *loop = ev_userdata(ev);
    loop->turn++;
    read_clocks(loop);
}

static void on_timer(struct ev_loop *ev, ev_timer *watcher, int events)
{
    (void)watcher, (void)events;
    struct loop *loop = ev_userdata(ev);
    loop->armed_ms = UINT64_MAX;
    for (unsigned i = 0; i < loop->list_count; i++) {
        struct list *list = &loop->lists[i].deadlines;
        while (!list_is_empty(list)) {
            struct deadline *first = LIST_ENTRY(list->next, struct deadline, node);
            if (first->expires_ms > loop->now_ms)
                break;
            list_remove(&first->node);
            first->on_expired(first);
        }
    }
}

static void on_async(struct ev_loop *ev, ev_async *watcher, int events)
{
    (void)watcher, (void)events;
    struct loop *loop = ev_userdata(ev);
    if (loop->on_wake != NULL)
        loop->on_wake(loop);
}

/* libev's own would end the program at the first failure. */
static void *loop_memory(void *old, long bytes)
{
    if (bytes > 0)
        return memory_realloc(old, (size_t)bytes);
    free(old);
    return NULL;
}

void loop_init(struct loop *loop)
{
    ev_set_allocator(loop_memory);
    *loop = (struct loop){.armed_ms = UINT64_MAX};
    loop->ev = ev_loop_new(EVFLAG_AUTO | EVFLAG_NOENV);
    CHECK(loop->ev != NULL);
    list_init(&loop->tasks);
    list_init(&loop->next_tasks);
    list_init(&loop->patient_tasks);
    read_clocks(loop);
    ev_set_userdata(loop->ev, loop);

    ev_prepare_init(&loop->at_turn_end, on_turn_end);
    ev_prepare_start(loop->ev, &loop->at_turn_end);
    ev_check_init(&loop->at_turn_start, on_turn_start);
    ev_set_priority(&loop->at_turn_start, EV_MAXPRI);
    ev_check_start(loop->ev, &loop->at_turn_start);
    /* At the highest priority an idle watcher is not idle at all: it runs in every turn. */
    ev_idle_init(&loop->next_turn, on_next_turn);
    ev_set_priority(&loop->next_turn, EV_MAXPRI);
    ev_idle_init(&loop->leisure, on_leisure);
    ev_set_priority(&loop->leisure, EV_MINPRI);
    /* After all input of its turn: when we are late, what has come in time is not too late. */
    ev_init(&loop->timer, on_timer);
    ev_set_priority(&loop->timer, EV_MINPRI);
    ev_async_init(&loop->wake, on_async);
    ev_async_start(loop->ev, &loop->wake);
}

void loop_done(struct loop *loop)
{
    loop_run_tasks(loop);
    ev_loop_destroy(loop->ev);
    loop->ev = NULL;
}

void loop_run(struct loop *loop)
{
    ev_run(loop->ev, 0);
}

void loop_break(struct loop *loop)
{
    ev_break(loop->ev, EVBREAK_ALL);
}

void loop_wake(struct loop *loop)
{
    ev_async_send(loop->ev, &loop->wake);
}

void task_init(struct task *task, void (*run)(struct task *task))
{
    list_init(&task->node);
    task->run = run;
}

void task_schedule(struct loop *loop, struct task *task)
{
    if (list_is_empty(&task->node))
        list_append(&loop->tasks, &task->node);
}

void task_schedule_next_turn(struct loop *loop, struct task *task)
{
    if (!list_is_empty(&task->node))
        return;
    list_append(&loop->next_tasks, &task->node);
    ev_idle_start(loop->ev, &loop->next_turn);
}

void task_schedule_at_leisure(struct loop *loop, struct task *task)
{
    if (!list_is_empty(&task->node))
        return;
    task->due_us = loop->now_us + LOOP_PATIENCE_US;
    list_append(&loop->patient_tasks, &task->node);
    ev_idle_start(loop->ev, &loop->leisure);
}

void task_cancel(struct task *task)
{
    list_remove(&task->node);
}

void deadline_init(struct deadline *deadline, void (*on_expired)(struct deadline *deadline))
{
    list_init(&deadline->node);
    deadline->expires_ms = 0;
    deadline->on_expired = on_expired;
}

/* Whole seconds are multiples of eight. */
static uint8_t *hint_of(struct loop *loop, uint64_t timeout_ms)
{
    return &loop->hints[(timeout_ms ^ timeout_ms >> 3) % LOOP_DEADLINE_HINTS];
}

/* The list of a timeout value: the one there is, an empty one given a new value, or a new one; NULL
 * when all are in use. */
static struct deadline_list *find_list(struct loop *loop, uint64_t timeout_ms)
{
    struct deadline_list *empty = NULL;
    for (unsigned i = 0; i < loop->list_count; i++) {
        struct deadline_list *list = &loop->lists[i];
        if (list->timeout_ms == timeout_ms) {
            *hint_of(loop, timeout_ms) = (uint8_t)i;
            return list;
        }
        if (list_is_empty(&list->deadlines))
            empty = list;
    }
    if (loop->list_count < LOOP_DEADLINE_LISTS) {
        empty = &loop->lists[loop->list_count++];
        list_init(&empty->deadlines);
    }
    if (empty != NULL)
        empty->timeout_ms = timeout_ms;
    return empty;
}

static struct deadline_list *list_for(struct loop *loop, uint64_t timeout_ms)
{
    struct deadline_list *hinted = &loop->lists[*hint_of(loop, timeout_ms)];
    return hinted->timeout_ms == timeout_ms ? hinted : find_list(loop, timeout_ms);
}

/*
 * Keeps the list in order of expiry. Almost always the new one is the last; it is not only when
 * more timeout values are in use than there are lists, and a list is shared.
 */
static void insert_in_order(struct list *list, struct deadline *deadline)
{
    struct list *after = list->previous;
    while (after != list &&
           LIST_ENTRY(after, struct deadline, node)->expires_ms > deadline->expires_ms)
        after = after->previous;
    list_prepend(after, &deadline->node);
}

void deadline_start(struct loop *loop, struct deadline *deadline, uint64_t timeout_ms)
{
    uint64_t expires_ms = loop->now_ms + timeout_ms;
    /* Most are started again and again in one turn. */
    if (timeout_ms != 0 && deadline->expires_ms == expires_ms && deadline_is_running(deadline))
        return;
    list_remove(&deadline->node);
    if (timeout_ms == 0)
        return;
    deadline->expires_ms = expires_ms;
    struct deadline_list *list = list_for(loop, timeout_ms);
    insert_in_order(list != NULL ? &list->deadlines : &loop->lists[0].deadlines, deadline);
}
