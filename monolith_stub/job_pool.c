#include "monolith_stub/job_pool.h"

#include <pthread.h>
#include <stdlib.h>

enum { THREAD_LIMIT = 16 };

struct job {
    void (*run)(void *context);
    void *context;
};

struct job_pool {
    pthread_mutex_t lock;
    pthread_cond_t came;
    bool stops;
    unsigned thread_count;
    pthread_t threads[THREAD_LIMIT];
    unsigned limit;
    unsigned first;
    unsigned count;
    struct job jobs[]; /* a ring of `limit` */
};

static void *run_jobs(void *context)
{
    struct job_pool *pool = context;
    pthread_mutex_lock(&pool->lock);
    for (;;) {
        while (pool->count == 0 && !pool->stops)
            pthread_cond_wait(&pool->came, &pool->lock);
        if (pool->count == 0)
            break;
        struct job job = pool->jobs[pool->first];
        pool->first = (pool->first + 1) % pool->limit;
        pool->count--;
        pthread_mutex_unlock(&pool->lock);
        job.run(job.context);
        pthread_mutex_lock(&pool->lock);
    }
    pthread_mutex_unlock(&pool->lock);
    return NULL;
}

struct job_pool *job_pool_new(unsigned threads, unsigned queue_limit)
{
    if (threads == 0 || threads > THREAD_LIMIT || queue_limit == 0)
        return NULL;
    struct job_pool *pool = calloc(1, sizeof(*pool) + queue_limit * sizeof(struct job));
    if (pool == NULL)
        return NULL;
    pool->limit = queue_limit;
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->came, NULL);
    for (unsigned i = 0; i < threads; i++) {
        if (pthread_create(&pool->threads[i], NULL, run_jobs, pool) != 0) {
            job_pool_free(pool);
            return NULL;
        }
        pool->thread_count++;
    }
    return pool;
}

void job_pool_stop(struct job_pool *pool)
{
    if (pool == NULL)
        return;
    pthread_mutex_lock(&pool->lock);
    pool->stops = true;
    pthread_cond_broadcast(&pool->came);
    pthread_mutex_unlock(&pool->lock);
    for (unsigned i = 0; i < pool->thread_count; i++)
        pthread_join(pool->threads[i], NULL);
    pool->thread_count = 0;
}

void job_pool_free(struct job_pool *pool)
{
    if (pool == NULL)
        return;
    job_pool_stop(pool);
    pthread_cond_destroy(&pool->came);
    pthread_mutex_destroy(&pool->lock);
    free(pool);
}

bool job_pool_add(struct job_pool *pool, void (*run)(void *context), void *context)
{
    pthread_mutex_lock(&pool->lock);
    bool has_room = pool->count < pool->limit && !pool->stops;
    if (has_room) {
        unsigned last = (pool->first + pool->count++) % pool->limit;
        pool->jobs[last] = (struct job){run, context};
        pthread_cond_signal(&pool->came);
    }
    pthread_mutex_unlock(&pool->lock);
    return has_room;
}
