/*
 * /api/2.0/categories and /threads. Any thread.
 */
#ifndef MONOLITH_JSON_THREADS_H
#define MONOLITH_JSON_THREADS_H

#include "monolith_stub/route.h"

route_answer json_categories;
route_answer json_category_threads;
route_answer json_threads;
route_answer json_thread;
route_answer json_thread_add;

#endif
