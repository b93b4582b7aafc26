/*
 * A few threads and a bounded queue, for work that must not hold up the web server's threads:
 * writing to disk, hashing passwords, asking the other side.
 * Owner: main. Any thread may add; jobs run on the pool's threads.
 */
#ifndef MONOLITH_JOB_POOL_H
#define MONOLITH_JOB_POOL_H

#include <stdbool.h>

struct job_pool;

/* `threads` 1 to 16; `queue_limit` is how many jobs may wait. NULL: no memory or no threads. */
struct job_pool *job_pool_new(unsigned threads, unsigned queue_limit);

/* Runs what is queued and ends the threads; nothing can be added any more. NULL is allowed. */
void job_pool_stop(struct job_pool *pool);

/* Stops it, too. NULL is allowed. */
void job_pool_free(struct job_pool *pool);

/* False: the queue is full, nothing was added. */
bool job_pool_add(struct job_pool *pool, void (*run)(void *context), void *context);

#endif
