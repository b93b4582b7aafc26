/*
 * GET /forum: the threads and their posts as one HTML page. Any thread.
 */
#ifndef MONOLITH_FORUM_PAGE_H
#define MONOLITH_FORUM_PAGE_H

#include "monolith_stub/route.h"

route_answer forum_page;

#endif
