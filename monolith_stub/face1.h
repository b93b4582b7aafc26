/*
 * Face 1.0: the read-only JSON the forum has always had. Every answer is exact to the byte,
 * because clients and the extracted services are held against it. Any thread.
 */
#ifndef MONOLITH_FACE1_H
#define MONOLITH_FACE1_H

#include "monolith_stub/route.h"

route_answer face1_welcome;
route_answer face1_api_welcome;
route_answer face1_users;
route_answer face1_user;
route_answer face1_threads;
route_answer face1_thread;
route_answer face1_posts;
route_answer face1_posts_in_thread;
route_answer face1_posts_by_user;

#endif
