/*
 * The queries of the users service, by index.
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
    QUERY_SESSION,    /* ?1 hash: user, expires_ms */
    QUERY_USERNAME,   /* ?1 user: username */
    QUERY_PROFILE,    /* ?1 id: id, username, name, bio, created_ms */
    QUERY_USER_EDIT,  /* ?1 id, ?2 name, ?3 bio */
    QUERY_USER_EVENT, /* ?1 id: id and row as JSON */
    QUERY_USER_ROWS,
    QUERY_ACCOUNT_ROWS,
    QUERY_SESSION_ROWS,
};

enum { FEED_USERS };
extern const struct feed users_feeds[];

#endif
