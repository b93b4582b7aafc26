#include "monolith_stub/talk/lists.h"

static bool read_count(sqlite3_stmt *count, int64_t page, struct paging *ret_paging)
{
    if (store_next(count))
        *ret_paging = paging_of(page, sqlite3_column_int64(count, 0));
    return store_end(count);
}

static void bind_page(sqlite3_stmt *rows, int64_t asker, const struct paging *paging)
{
    sqlite3_bind_int64(rows, 2, asker);
    sqlite3_bind_int64(rows, 3, PAGE_ROWS);
    sqlite3_bind_int64(rows, 4, paging_offset(paging));
}

sqlite3_stmt *list_threads(struct store *store, int64_t category, int64_t page,
                           struct paging *ret_paging)
{
    sqlite3_stmt *count = store_begin(store, QUERY_THREADS_COUNT);
    sqlite3_bind_int64(count, 1, category);
    if (!read_count(count, page, ret_paging))
        return NULL;
    sqlite3_stmt *rows = store_begin(store, QUERY_THREADS_PAGE);
    sqlite3_bind_int64(rows, 1, category);
    bind_page(rows, 0, ret_paging);
    return rows;
}

sqlite3_stmt *list_posts(struct store *store, int64_t thread, int64_t asker, int64_t page,
                         struct paging *ret_paging)
{
    sqlite3_stmt *count = store_begin(store, QUERY_POSTS_COUNT);
    sqlite3_bind_int64(count, 1, thread);
    if (!read_count(count, page, ret_paging))
        return NULL;
    sqlite3_stmt *rows = store_begin(store, QUERY_POSTS_PAGE);
    sqlite3_bind_int64(rows, 1, thread);
    bind_page(rows, asker, ret_paging);
    return rows;
}

sqlite3_stmt *list_found_posts(struct store *store, const struct text *expression, int64_t asker,
                               int64_t page, struct paging *ret_paging)
{
    sqlite3_stmt *count = store_begin(store, QUERY_SEARCH_COUNT);
    store_bind_text(count, 1, expression->bytes, expression->length);
    if (!read_count(count, page, ret_paging))
        return NULL;
    sqlite3_stmt *rows = store_begin(store, QUERY_SEARCH_PAGE);
    store_bind_text(rows, 1, expression->bytes, expression->length);
    bind_page(rows, asker, ret_paging);
    return rows;
}

sqlite3_stmt *list_one_thread(struct store *store, int64_t thread)
{
    sqlite3_stmt *row = store_begin(store, QUERY_THREAD_FULL);
    sqlite3_bind_int64(row, 1, thread);
    return row;
}

sqlite3_stmt *list_one_post(struct store *store, int64_t post, int64_t asker)
{
    sqlite3_stmt *row = store_begin(store, QUERY_POST_FULL);
    sqlite3_bind_int64(row, 1, post);
    sqlite3_bind_int64(row, 2, asker);
    return row;
}
