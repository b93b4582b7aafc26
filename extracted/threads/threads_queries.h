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
    QUERY_CATEGORIES,    /* id, slug, title, description */
    QUERY_CATEGORY,      /* ?1 slug: id, number of threads */
    QUERY_CATEGORY_PAGE, /* ?1 category, ?2 limit, ?3 offset: as QUERY_THREAD */
    QUERY_THREAD,        /* ?1 id: the columns of enum thread_column */
    QUERY_THREAD_ADD,    /* ?1 title, ?2 user, ?3 category, ?4 ms: its id */
    QUERY_THREAD_EVENT,  /* ?1 id: id and row as JSON */
    QUERY_CATEGORY_ROWS,
    QUERY_THREAD_ROWS,
    THREADS_QUERY_COUNT,
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

/* The feeds that the service may own come first. */
enum { FEED_CATEGORIES, FEED_THREADS };
extern const struct feed threads_feeds[];

#endif
