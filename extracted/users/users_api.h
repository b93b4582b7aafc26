/*
 * People, accounts and sessions as /api/2.0 has them. The loop's thread.
 */
#ifndef USERS_API_H
#define USERS_API_H

#include "extracted/service_kit/router.h"

http_answer users_api_one;
http_answer users_api_batch;
http_answer users_api_me;
http_answer users_api_edit;

http_answer users_api_register;
http_answer users_api_log_in;
http_answer users_api_log_out;

/* 200 with the user between two texts, or 404. */
void users_api_reply(struct database *database, int64_t id, const char *before, const char *after,
                     struct http_reply *reply);

#endif
