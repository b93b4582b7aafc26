/*
 * The SQL of the threads service, by index. Constants.
 */
#ifndef THREADS_QUERIES_H
#define THREADS_QUERIES_H

#include "extracted/service_kit/feed.h"

enum threads_query {
    QUERY_ALL,
    QUERY_ONE,
    QUERY_IMPORT,
    QUERY_PUT_CATEGORY,
    QUERY_DELETE_CATEGORY,
    QUERY_PUT_THREAD,
    QUERY_DELETE_THREAD,
    QUERY_PUT_USER,
    QUERY_DELETE_USER,
    QUERY_PUT_SESSION,
    QUERY_DELETE_SESSION,
    QUERY_SESSION,       /* ?1 hash: user, expires_ms */
    QUERY_USERNAME,      /* ?1 user: username */
    QUERY_CATEGORIES,    /* the columns of enum category_column */
    QUERY_CATEGORY,      /* ?1 slug: the same */
    QUERY_CATEGORY_PAGE, /* ?1 category, ?2 limit, ?3 offset: as QUERY_THREAD */
    QUERY_THREAD,        /* ?1 id: the columns of enum thread_column */
    QUERY_THREAD_ADD,    /* ?1 title, ?2 user, ?3 category, ?4 ms: its id */
    QUERY_THREAD_EVENT,  /* ?1 id: id and row as JSON */
    QUERY_CATEGORY_ROWS,
    QUERY_THREAD_ROWS,
    THREADS_QUERY_COUNT,
};

enum category_column {
    CATEGORY_ID,
    CATEGORY_SLUG,
    CATEGORY_TITLE,
    CATEGORY_DESCRIPTION,
    CATEGORY_THREADS, /* how many */
};

enum thread_column {
    THREAD_ID,
    THREAD_TITLE,
    THREAD_SLUG,
    THREAD_CATEGORY,
    THREAD_AUTHOR,
    THREAD_USERNAME, /* NULL: not known here */
    THREAD_CREATED,
};

extern const char *const threads_queries[THREADS_QUERY_COUNT];

/* QUERY_CATEGORY and QUERY_CATEGORY_PAGE with their values. */
sqlite3_stmt *threads_category_begin(struct database *database, struct http_view slug);
sqlite3_stmt *threads_page_begin(struct database *database, int64_t category, int64_t rows,
                                 int64_t offset);

/* The feeds that the service may own come first. */
enum { FEED_CATEGORIES, FEED_THREADS };
extern const struct feed threads_feeds[];

#endif
