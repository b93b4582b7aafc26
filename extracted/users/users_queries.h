/*
 * The SQL of the users service, by index. Constants.
 */
#ifndef USERS_QUERIES_H
#define USERS_QUERIES_H

#include "extracted/service_kit/feed.h"

enum users_query {
    QUERY_ALL,
    QUERY_ONE,
    QUERY_IMPORT,
    QUERY_PUT_USER,
    QUERY_DELETE_USER,
    QUERY_PUT_ACCOUNT,
    QUERY_DELETE_ACCOUNT,
    QUERY_PUT_SESSION,
    QUERY_DELETE_SESSION,
    QUERY_SESSION,         /* ?1 hash: user, expires_ms */
    QUERY_USERNAME,        /* ?1 user: username */
    QUERY_PROFILE,         /* ?1 id: id, username, name, bio, created_ms */
    QUERY_USERNAME_TAKEN,  /* ?1 username: a row if it is */
    QUERY_USER_ADD,        /* ?1 username, ?2 name, ?3 ms: its id */
    QUERY_USER_EDIT,       /* ?1 id, ?2 name, ?3 bio; what is NULL stays */
    QUERY_USER_EVENT,      /* ?1 id: id and row as JSON */
    QUERY_ACCOUNT,         /* ?1 username: id, salt, hash, n, r, p */
    QUERY_ACCOUNT_EVENT,   /* ?1 id: id and row as JSON */
    QUERY_SESSION_EVENT,   /* ?1 hash: id and row as JSON */
    QUERY_SESSION_EXPIRED, /* ?1 ms: the hash of one that is over */
    QUERY_USER_ROWS,       /* see feed_rows.h, as the two below */
    QUERY_ACCOUNT_ROWS,
    QUERY_SESSION_ROWS,
    USERS_QUERY_COUNT,
};

extern const char *const users_queries[USERS_QUERY_COUNT];

enum { FEED_USERS, FEED_ACCOUNTS, FEED_SESSIONS, USERS_FEED_COUNT };
extern const struct feed users_feeds[USERS_FEED_COUNT];

#endif
