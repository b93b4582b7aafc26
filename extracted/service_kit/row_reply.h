/*
 * Replies made of rows: a query's answer as a JSON array, or its first row as an object.
 * The loop's thread.
 */
#ifndef SERVICE_KIT_ROW_REPLY_H
#define SERVICE_KIT_ROW_REPLY_H

#include "extracted/service_kit/database.h"
#include "extracted/service_kit/http_message.h"

enum row_kind { ROW_INTEGER, ROW_INTEGER_OR_NULL, ROW_BOOLEAN, ROW_TEXT };

/* Column i of the row is member i of the object. */
struct row_member {
    const char *name;
    enum row_kind kind;
};

struct row_shape {
    const struct row_member *members;
    size_t count;
};

/* Appends the current row as an object. */
void row_reply_add_object(struct body_text *body, const struct row_shape *shape, sqlite3_stmt *row);

/* 200 with an array of all rows. */
void row_reply_all(struct database *database, size_t query, const struct row_shape *shape,
                   struct http_reply *reply);

/* The same for a query whose ?1 is the id in the request's first parameter; what is no id finds
 * nothing. */
void row_reply_by_id(struct database *database, size_t query, const struct row_shape *shape,
                     const struct http_request *request, struct http_reply *reply);

/* 200 with one object, 204 if there is no row. */
void row_reply_one(struct database *database, size_t query, const struct row_shape *shape,
                   const struct http_request *request, struct http_reply *reply);

#endif
