/*
 * /api/2.0/posts, the posts of /threads/{id}, likes, and /search. Any thread.
 */
#ifndef MONOLITH_JSON_POSTS_H
#define MONOLITH_JSON_POSTS_H

#include "monolith_stub/route.h"

route_answer json_thread_posts;
route_answer json_post;
route_answer json_post_add;
route_answer json_post_edit;
route_answer json_post_delete;
route_answer json_like;
route_answer json_unlike;
route_answer json_search;

#endif
