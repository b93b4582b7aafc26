/*
 * What the JSON answers read from queries and paths; each says in the reply what is wrong.
 */
#ifndef MONOLITH_JSON_REQUEST_H
#define MONOLITH_JSON_REQUEST_H

#include "monolith_stub/input/paging.h"
#include "monolith_stub/reply.h"

/* The id in the path, or 404. */
bool json_read_id(const struct request *request, struct reply *reply, int64_t *ret_id);

/* ?ids=1,2,3 or 422. */
bool json_read_ids(const struct request *request, struct reply *reply, struct id_list *ret_ids);

/* ?page=N, 1 if it is not there, or 422. */
bool json_read_page(const struct request *request, struct reply *reply, int64_t *ret_page);

#endif
