/*
 * Pages for talk: categories, threads, posts and the search. Any thread.
 */
#ifndef MONOLITH_PAGE_TALK_H
#define MONOLITH_PAGE_TALK_H

#include "monolith_stub/route.h"

route_answer page_style;
route_answer page_front;
route_answer page_category;
route_answer page_thread_new;
route_answer page_thread_new_send;
route_answer page_thread;
route_answer page_reply_send;
route_answer page_post_edit;
route_answer page_post_edit_send;
route_answer page_post_delete_send;
route_answer page_post_like_send;
route_answer page_search;

/* One post as an <article>, with what the visitor may do to it; `in_thread`: on the page of its
 * thread, else with a link there. */
void page_post(const struct request *request, struct reply *reply, sqlite3_stmt *row,
               bool in_thread);

/* 303 to where a post is. */
void page_see_post(struct forum *forum, struct reply *reply, int64_t post);

#endif
