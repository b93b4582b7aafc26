#include "monolith_stub/talk/thread_news.h"

#include "monolith_stub/feeds/ask.h"
#include "monolith_stub/feeds/follower.h"
#include "monolith_stub/feeds/ownership.h"
#include "monolith_stub/input/paging.h"
#include "monolith_stub/store_pool.h"

static bool is_opened_elsewhere(struct store *store, int64_t id)
{
    struct ownership ownership;
    sqlite3_stmt *row = store_begin(store, QUERY_THREAD);
    sqlite3_bind_int64(row, 1, id);
    bool is_here = store_next(row);
    return store_end(row) && !is_here && ownership_read(store, AGGREGATE_THREADS, &ownership) &&
           !ownership.is_ours;
}

bool thread_may_be_news(struct forum *forum, struct text_view text)
{
    int64_t id;
    if (forum->follower == NULL || follower_origin(forum->follower, FEED_THREADS) == NULL ||
        !id_read(text, &id))
        return false;
    struct store *store = store_pool_take(forum->pool);
    bool may_be = is_opened_elsewhere(store, id);
    store_pool_give_back(forum->pool, store);
    return may_be;
}

bool thread_news_read(struct forum *forum)
{
    return ask_events(forum, FEED_THREADS);
}
