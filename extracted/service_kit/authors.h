/*
 * Names of people whose rows have not come here yet: asked of the others, within a budget; a name
 * that cannot be had in time is left out. The loop's thread.
 */
#ifndef SERVICE_KIT_AUTHORS_H
#define SERVICE_KIT_AUTHORS_H

#include "extracted/service_kit/json_reply.h"
#include "extracted/service_kit/json_request.h"

enum { AUTHORS_ASK_MS = 150 };

/* Adds an id to those whose name is to be asked for. */
void authors_add_unknown(struct json_ids *unknown, int64_t id);

/* Adds the ids (column id_column) of a query's rows that have no name (name_column is NULL), and
 * ends the query. False: logged. */
bool authors_collect(struct database *database, sqlite3_stmt *rows, int id_column, int name_column,
                     struct json_ids *unknown);

/* Asks once for the unknown ones. False: the reply waits, return at once. */
bool authors_ask(const struct http_request *request, struct http_reply *reply,
                 const struct json_ids *unknown);

/* The name that was asked for; empty if it could not be had. Stays as long as the reply. */
struct http_view authors_asked_name(const struct http_reply *reply, int64_t id);

/* ,"author":{"id":…,"username":…} of the row, or ,"author":null. Whether the name was known. */
bool authors_add(struct http_reply *reply, sqlite3_stmt *row, int id_column, int name_column);

#endif
