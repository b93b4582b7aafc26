/*
 * Names of people whose rows have not come here yet: asked of the others, within a budget; a name
 * that cannot be had in time is left out. The loop's thread.
 */
#ifndef SERVICE_KIT_AUTHORS_H
#define SERVICE_KIT_AUTHORS_H

#include "extracted/service_kit/json_reply.h"
#include "extracted/service_kit/json_request.h"

enum { AUTHORS_ASK_MS = 150 };

/* Adds the ids (column id_column) of a query's rows that have no name (name_column is NULL), and
 * ends the query. False: logged. */
bool authors_collect(struct database *database, sqlite3_stmt *rows, int id_column, int name_column,
                     struct json_ids *unknown);

/* Asks once for the unknown ones. False: the reply waits, return at once. */
bool authors_ask(const struct http_request *request, struct http_reply *reply,
                 const struct json_ids *unknown);

/* ,"author":{"id":…,"username":…} of the row, or ,"author":null. Whether the name was known. */
bool authors_add(struct http_reply *reply, sqlite3_stmt *row, int id_column, int name_column);

#endif
