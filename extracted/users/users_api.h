/*
 * People as /api/2.0 shows them, and their profiles. The loop's thread.
 */
#ifndef USERS_API_H
#define USERS_API_H

#include "extracted/service_kit/router.h"

http_answer users_api_one;
http_answer users_api_batch;
http_answer users_api_me;
http_answer users_api_edit;

#endif
