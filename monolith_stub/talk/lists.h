/*
 * The lists that both faces show, a page at a time: threads of a category, posts of a thread,
 * posts that hold some words. Reads only; the store is borrowed.
 */
#ifndef MONOLITH_LISTS_H
#define MONOLITH_LISTS_H

#include "monolith_stub/input/paging.h"
#include "monolith_stub/store.h"
#include "monolith_stub/text.h"

/* Columns of a thread's row. USERNAME may be NULL: not known here. */
enum {
    THREAD_ID,
    THREAD_TITLE,
    THREAD_SLUG,
    THREAD_CATEGORY,
    THREAD_AUTHOR,
    THREAD_USERNAME,
    THREAD_CREATED
};

/* Columns of a post's row. EDITED and USERNAME may be NULL. */
enum {
    POST_ID,
    POST_THREAD,
    POST_AUTHOR,
    POST_USERNAME,
    POST_TEXT,
    POST_CREATED,
    POST_EDITED,
    POST_LIKES,
    POST_LIKED
};

/* Each counts and then begins the page's query: step it with store_next, end it with store_end.
 * NULL: the fault was logged. `asker` is whose likes are marked, 0 nobody's. */
sqlite3_stmt *list_threads(struct store *store, int64_t category, int64_t page,
                           struct paging *ret_paging);
sqlite3_stmt *list_posts(struct store *store, int64_t thread, int64_t asker, int64_t page,
                         struct paging *ret_paging);

/* `expression` as search_write_expression made it; it has to stay until the query ends. */
sqlite3_stmt *list_found_posts(struct store *store, const struct text *expression, int64_t asker,
                               int64_t page, struct paging *ret_paging);

/* One row of these. Step it once. */
sqlite3_stmt *list_one_thread(struct store *store, int64_t thread);
sqlite3_stmt *list_one_post(struct store *store, int64_t post, int64_t asker);

#endif
