/*
 * The forum's pages about posts: a thread, what people do with posts, the search. The loop's
 * thread.
 */
#ifndef POSTS_PAGES_H
#define POSTS_PAGES_H

#include "extracted/service_kit/page.h"
#include "extracted/service_kit/router.h"

http_answer posts_page_thread;
http_answer posts_page_reply;
http_answer posts_page_edit;
http_answer posts_page_edit_send;
http_answer posts_page_delete;
http_answer posts_page_like; /* like=0 takes a like back; anything else gives one */
http_answer posts_page_search;

/* A thread with its posts and the form to reply, with what was sent before and what was wrong with
 * it (NULL: nothing). */
struct thread_view {
    int64_t thread;
    int64_t page;
    struct http_view text;
    const struct outcome *fault;
};
void posts_page_show_thread(struct page *page, const struct thread_view *view);

/* One post as an <article>: `in_thread`: with what the visitor may do to it, else with a link to
 * its thread. */
void posts_page_add_post(struct page *page, sqlite3_stmt *row, bool in_thread);

#endif
