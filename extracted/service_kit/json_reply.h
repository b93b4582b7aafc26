/*
 * Objects and lists of the JSON API, written into a reply's body. The loop's thread.
 */
#ifndef SERVICE_KIT_JSON_REPLY_H
#define SERVICE_KIT_JSON_REPLY_H

#include "extracted/service_kit/database.h"
#include "extracted/service_kit/http_message.h"
#include "extracted/service_kit/json_request.h"

/* A column of a row after a prefix that names it. A time is ISO 8601 in UTC; NULL is null. */
void json_reply_integer(struct body_text *body, const char *prefix, sqlite3_stmt *row, int column);
void json_reply_text(struct body_text *body, const char *prefix, sqlite3_stmt *row, int column);
void json_reply_time(struct body_text *body, const char *prefix, sqlite3_stmt *row, int column);

/* {"items":[…],"page":N,"pages":N,"total":N,"degraded":["users"]?} */
struct json_list {
    struct body_text *body;
    enum bug bug;
    unsigned count;
    bool is_degraded;        /* set it if an author's name could not be had */
    size_t starts[JSON_IDS]; /* where the first items begin in the body */
};

void json_list_begin(struct json_list *list, struct http_reply *reply);
void json_list_next(struct json_list *list);
void json_list_end(struct json_list *list, struct http_reply *reply, int64_t page, int64_t total);

#endif
