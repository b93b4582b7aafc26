#include "monolith_stub/store_pool.h"

#include <pthread.h>
#include <stdlib.h>

enum { POOL_LIMIT = 64 };

struct store_pool {
    pthread_mutex_t lock;
    pthread_cond_t came_back;
    unsigned count;
    unsigned idle_count;
    struct store *idle[POOL_LIMIT]; /* last in, first out: the warmest page cache first */
    struct store stores[];
};

struct store_pool *store_pool_new(const char *path, unsigned count)
{
    if (count == 0 || count > POOL_LIMIT)
        return NULL;
    struct store_pool *pool = calloc(1, sizeof(*pool) + count * sizeof(struct store));
    if (pool == NULL)
        return NULL;
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->came_back, NULL);
    for (unsigned i = 0; i < count; i++) {
        struct store *store = &pool->stores[i];
        if (!store_open(store, path)) {
            store_pool_free(pool);
            return NULL;
        }
        pool->count++;
        pool->idle[pool->idle_count++] = store;
        if (!store_prepare(store)) {
            store_pool_free(pool);
            return NULL;
        }
    }
    return pool;
}

void store_pool_free(struct store_pool *pool)
{
    if (pool == NULL)
        return;
    for (unsigned i = 0; i < pool->count; i++)
        store_close(&pool->stores[i]);
    pthread_cond_destroy(&pool->came_back);
    pthread_mutex_destroy(&pool->lock);
    free(pool);
}

struct store *store_pool_take(struct store_pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    while (pool->idle_count == 0)
        pthread_cond_wait(&pool->came_back, &pool->lock);
    struct store *store = pool->idle[--pool->idle_count];
    pthread_mutex_unlock(&pool->lock);
    return store;
}

void store_pool_give_back(struct store_pool *pool, struct store *store)
{
    pthread_mutex_lock(&pool->lock);
    pool->idle[pool->idle_count++] = store;
    pthread_cond_signal(&pool->came_back);
    pthread_mutex_unlock(&pool->lock);
}
