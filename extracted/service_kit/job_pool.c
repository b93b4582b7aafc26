#include "extracted/service_kit/job_pool.h"

#include <ev.h>
#include <pthread.h>
#include <stdlib.h>

/* Jobs in the order in which they came. */
struct job_list {
    struct job *first;
    struct job **last; /* where the next one is linked */
};

struct job_pool {
    struct ev_loop *loop;
    ev_async ran; /* some are among `over` */
    unsigned thread_count;
    pthread_t threads[JOB_THREADS];
    pthread_mutex_t lock; /* for all below */
    pthread_cond_t came;
    bool stops;
    unsigned queued;
    struct job_list queue;
    struct job_list over; /* ran, and did not end yet */
};

static void init_list(struct job_list *list)
{
    list->first = NULL;
    list->last = &list->first;
}

static void append(struct job_list *list, struct job *job)
{
    job->next = NULL;
    *list->last = job;
    list->last = &job->next;
}

static struct job *take_first(struct job_list *list)
{
    struct job *job = list->first;
    list->first = job->next;
    if (list->first == NULL)
        list->last = &list->first;
    return job;
}

/* Under the lock, which is open while the job runs. */
static void run_first(struct job_pool *pool)
{
    struct job *job = take_first(&pool->queue);
    pool->queued--;
    pthread_mutex_unlock(&pool->lock);
    job->run(job);
    pthread_mutex_lock(&pool->lock);
    append(&pool->over, job);
    ev_async_send(pool->loop, &pool->ran);
}

static void *run_jobs(void *context)
{
    struct job_pool *pool = context;
    pthread_mutex_lock(&pool->lock);
    while (!pool->stops) {
        if (pool->queued > 0)
            run_first(pool);
        else
            pthread_cond_wait(&pool->came, &pool->lock);
    }
    pthread_mutex_unlock(&pool->lock);
    return NULL;
}

static void end_all(struct job *job)
{
    while (job != NULL) {
        struct job *next = job->next;
        job->end(job); /* which may free it */
        job = next;
    }
}

static void on_ran(struct ev_loop *loop, ev_async *watcher, int events)
{
    (void)loop;
    (void)events;
    struct job_pool *pool = watcher->data;
    pthread_mutex_lock(&pool->lock);
    struct job *over = pool->over.first;
    init_list(&pool->over);
    pthread_mutex_unlock(&pool->lock);
    end_all(over);
}

static bool start_threads(struct job_pool *pool)
{
    while (pool->thread_count < JOB_THREADS) {
        if (pthread_create(&pool->threads[pool->thread_count], NULL, run_jobs, pool) != 0)
            return false;
        pool->thread_count++;
    }
    return true;
}

struct job_pool *job_pool_new(struct ev_loop *loop)
{
    struct job_pool *pool = calloc(1, sizeof(*pool));
    if (pool == NULL)
        return NULL;
    pool->loop = loop;
    init_list(&pool->queue);
    init_list(&pool->over);
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->came, NULL);
    ev_async_init(&pool->ran, on_ran);
    pool->ran.data = pool;
    ev_async_start(loop, &pool->ran);
    if (start_threads(pool))
        return pool;
    job_pool_free(pool);
    return NULL;
}

static void stop_threads(struct job_pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    pool->stops = true;
    pthread_cond_broadcast(&pool->came);
    pthread_mutex_unlock(&pool->lock);
    for (unsigned i = 0; i < pool->thread_count; i++)
        pthread_join(pool->threads[i], NULL);
}

void job_pool_free(struct job_pool *pool)
{
    if (pool == NULL)
        return;
    stop_threads(pool);
    ev_async_stop(pool->loop, &pool->ran);
    end_all(pool->over.first);
    end_all(pool->queue.first);
    pthread_cond_destroy(&pool->came);
    pthread_mutex_destroy(&pool->lock);
    free(pool);
}

bool job_pool_add(struct job_pool *pool, struct job *job)
{
    pthread_mutex_lock(&pool->lock);
    bool has_room = pool->queued < JOB_QUEUE;
    if (has_room) {
        pool->queued++;
        append(&pool->queue, job);
        pthread_cond_signal(&pool->came);
    }
    pthread_mutex_unlock(&pool->lock);
    return has_room;
}

/* Under the lock. */
static bool take_queued(struct job_pool *pool, const struct job *job)
{
    struct job **link = &pool->queue.first;
    while (*link != NULL && *link != job)
        link = &(*link)->next;
    if (*link == NULL)
        return false;
    *link = job->next;
    if (*link == NULL)
        pool->queue.last = link;
    pool->queued--;
    return true;
}

bool job_pool_cancel(struct job_pool *pool, struct job *job)
{
    pthread_mutex_lock(&pool->lock);
    bool was_queued = take_queued(pool, job);
    pthread_mutex_unlock(&pool->lock);
    return was_queued;
}
