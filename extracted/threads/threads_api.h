/*
 * Categories and threads as /api/2.0 shows them, and new threads. The loop's thread.
 */
#ifndef THREADS_API_H
#define THREADS_API_H

#include "extracted/service_kit/json_request.h"
#include "extracted/service_kit/router.h"

http_answer threads_api_categories;
http_answer threads_api_category;
http_answer threads_api_batch;
http_answer threads_api_one;
http_answer threads_api_add;

#endif
