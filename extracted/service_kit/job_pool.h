/*
 * Two threads and a bounded queue, for work that would hold up the loop, such as a password's hash.
 * Owner: the running service. Everything but a job's `run` happens on the loop's thread.
 */
#ifndef SERVICE_KIT_JOB_POOL_H
#define SERVICE_KIT_JOB_POOL_H

#include <stdbool.h>

struct ev_loop;
struct job_pool;

enum { JOB_THREADS = 2, JOB_QUEUE = 64 };

/* A part of something larger, whose owner lends it to the pool from job_pool_add until `end` is
 * called or it is cancelled. */
struct job {
    struct job *next;
    void (*run)(struct job *job); /* on a thread of the pool; nobody else touches the job now */
    void (*end)(struct job *job); /* on the loop's thread, after run */
};

/* The loop is borrowed for life. NULL: no memory, or no threads. */
struct job_pool *job_pool_new(struct ev_loop *loop);

/* Waits for the jobs that run; all that were added end. NULL is allowed. */
void job_pool_free(struct job_pool *pool);

/* False: JOB_QUEUE jobs wait already, and nothing was added. */
bool job_pool_add(struct job_pool *pool, struct job *job);

/* True: it had not begun, will not run, and does not end. False: its end is still to come. */
bool job_pool_cancel(struct job_pool *pool, struct job *job);

#endif
