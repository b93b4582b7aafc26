/*
 * A fixed set of database connections, lent to one request at a time.
 * Owner: main. Any thread may take and give back; taking waits when all are lent.
 */
#ifndef MONOLITH_STORE_POOL_H
#define MONOLITH_STORE_POOL_H

#include "monolith_stub/store.h"

struct store_pool;

/* Opens `count` connections (1 to 64) to a database whose schema is there. NULL: logged. */
struct store_pool *store_pool_new(const char *path, unsigned count);

/* Every connection has to be back. */
void store_pool_free(struct store_pool *pool);

struct store *store_pool_take(struct store_pool *pool);
void store_pool_give_back(struct store_pool *pool, struct store *store);

#endif
