/*
 * What all pages of the forum have in common: the frame with the login state, the CSRF field, the
 * links between pages of a list, the words for what went wrong. A page lives as long as the call
 * of its route. The loop's thread.
 */
#ifndef SERVICE_KIT_PAGE_H
#define SERVICE_KIT_PAGE_H

#include "extracted/service_kit/html.h"
#include "extracted/service_kit/json_request.h"
#include "extracted/service_kit/outcome.h"
#include "extracted/service_kit/visitor.h"

enum { PAGE_ROWS = JSON_PAGE_ROWS, PAGE_PATH_BYTES = 96 };

struct page {
    struct database *database;
    const struct http_request *request;
    struct http_reply *reply;
    struct body_text *body; /* the reply's */
    struct visitor visitor;
};

/* Finds out who asks. False: the reply waits, return at once. */
bool page_open(struct page *page, struct database *database, const struct http_request *request,
               struct http_reply *reply);

/* Asks for the names of the people in `unknown` and for the visitor's own, if it is not known;
 * see authors.h. False: the reply waits, return at once. Before the first byte of the page. */
bool page_ask_names(struct page *page, struct json_ids *unknown);

/* 200, the head, and everything up to the content; then the content; then the end. */
void page_begin(struct page *page, struct http_view title);
void page_begin_named(struct page *page, const char *title);
void page_end(struct page *page);

/* The hidden field. Gives a visitor without a session a token to make it from. */
void page_csrf_field(struct page *page);

/* Who wrote the row: a link, or "someone" whose name is not known here. */
void page_author(struct page *page, sqlite3_stmt *row, int id_column, int username_column);

/* A list in pages. */
struct page_list {
    int64_t page; /* from 1 */
    int64_t total;
};

int64_t page_list_offset(const struct page_list *list);
int64_t page_list_pages(const struct page_list *list); /* at least 1 */

/* Links to the neighbours; nothing for a list of one page. `path` ends in ?page= or &page=. */
void page_links(struct page *page, struct http_view path, const struct page_list *list);

/* Whole pages: for an outcome other than done, and for a bare status. */
void page_reply_outcome(struct page *page, const struct outcome *outcome);
void page_reply_status(struct page *page, unsigned status);

/* 303 to a path of ours. */
void page_see_other(struct page *page, const char *location);

/* 303 to the log-in page; 503 if nobody can tell whether they are logged in. */
void page_ask_to_log_in(struct page *page);

/* The id in the path, plain decimal. False: the reply is a 404 page. */
bool page_read_id(struct page *page, int64_t *ret_id);

/* ?page=N, 1 if it is not there. False: the reply is a 404 page (400 for a query that is none). */
bool page_read_page(struct page *page, int64_t *ret_page);

#endif
