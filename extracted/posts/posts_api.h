/*
 * Posts, likes and search as /api/2.0 shows them, and what people write. The loop's thread.
 */
#ifndef POSTS_API_H
#define POSTS_API_H

#include "extracted/service_kit/router.h"

http_answer posts_api_thread;
http_answer posts_api_one;
http_answer posts_api_search;
http_answer posts_api_add;
http_answer posts_api_edit;
http_answer posts_api_delete;
http_answer posts_api_like;
http_answer posts_api_unlike;

/* The reply with one post as `viewer` sees it (0: a visitor), or 404. */
void posts_api_reply(struct database *database, struct http_reply *reply, int64_t post,
                     int64_t viewer);

#endif
