/*
 * The SQL of the posts service, by index. Constants.
 */
#ifndef POSTS_QUERIES_H
#define POSTS_QUERIES_H

#include "extracted/service_kit/feed.h"

enum posts_query {
    QUERY_ALL,
    QUERY_IN_THREAD,
    QUERY_BY_USER,
    QUERY_IMPORT,
    QUERY_PUT_POST,
    QUERY_DELETE_POST,
    QUERY_PUT_LIKE,
    QUERY_DELETE_LIKE,
    QUERY_PUT_USER,
    QUERY_DELETE_USER,
    QUERY_PUT_SESSION,
    QUERY_DELETE_SESSION,
    QUERY_PUT_THREAD,
    QUERY_DELETE_THREAD,
    QUERY_PUT_CATEGORY,
    QUERY_DELETE_CATEGORY,
    QUERY_SESSION,      /* ?1 hash: user, expires_ms */
    QUERY_USERNAME,     /* ?1 user: username */
    QUERY_THREAD,       /* ?1 id: the columns of enum thread_column */
    QUERY_POST,         /* ?1 id, ?2 who looks: the columns of enum post_column */
    QUERY_THREAD_COUNT, /* ?1 thread: number of posts */
    QUERY_THREAD_PAGE,  /* ?1 thread, ?2 who looks, ?3 limit, ?4 offset: as QUERY_POST */
    QUERY_POSTS_BEFORE, /* ?1 thread, ?2 post: how many are before it */
    QUERY_SEARCH_COUNT, /* ?1 expression of FTS5 */
    QUERY_SEARCH_PAGE,  /* ?1 expression, then as QUERY_THREAD_PAGE */
    QUERY_POST_ADD,     /* ?1 thread, ?2 user, ?3 text, ?4 ms: its id */
    QUERY_POST_EDIT,    /* ?1 id, ?2 text, ?3 ms */
    QUERY_POST_CLEAR,   /* ?1 id, ?2 ms */
    QUERY_POST_EVENT,   /* ?1 id: id and row as JSON */
    QUERY_LIKED,        /* ?1 post, ?2 user: a row if it is so */
    QUERY_LIKE_EVENT,   /* ?1 post, ?2 user: id and row as JSON */
    QUERY_POST_ROWS,
    QUERY_LIKE_ROWS,
    POSTS_QUERY_COUNT,
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

enum post_column {
    POST_ID,
    POST_THREAD,
    POST_AUTHOR,
    POST_USERNAME, /* NULL: not known here */
    POST_TEXT,
    POST_CREATED,
    POST_EDITED,
    POST_LIKES,
    POST_LIKED,
};

extern const char *const posts_queries[POSTS_QUERY_COUNT];

/* A list in pages: the posts of a thread, or those with some words. */
struct post_listing {
    int64_t thread;
    const struct body_text *expression; /* of FTS5; NULL: by thread */
    int64_t viewer;
};

/* False: logged. */
bool posts_listing_count(struct database *database, const struct post_listing *listing,
                         int64_t *ret_total);

/* The rows of a page, from 1. */
sqlite3_stmt *posts_listing_begin(struct database *database, const struct post_listing *listing,
                                  int64_t page);

/* One post as `viewer` sees it (0: a visitor). */
sqlite3_stmt *posts_one_begin(struct database *database, int64_t post, int64_t viewer);

/* The feeds that the service may own come first. */
enum { FEED_POSTS, FEED_LIKES };
extern const struct feed posts_feeds[];

#endif
