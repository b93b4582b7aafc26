/*
 * What all pages have in common: the frame with the login state, the CSRF field, the links
 * between pages of a list, the words for what went wrong. Any thread.
 */
#ifndef MONOLITH_PAGE_H
#define MONOLITH_PAGE_H

#include "monolith_stub/input/paging.h"
#include "monolith_stub/outcome.h"
#include "monolith_stub/pages/html.h"
#include "monolith_stub/reply.h"
#include "monolith_stub/request.h"

/* 200, the head, and everything up to the content; the title is a view of plain text. */
void page_begin(const struct request *request, struct reply *reply, struct text_view title);
void page_begin_named(const struct request *request, struct reply *reply, const char *title);
void page_end(struct reply *reply);

/* The hidden field. Gives a visitor without a session a token to make it from. */
void page_csrf_field(const struct request *request, struct reply *reply);

/* "by <a>…</a>", or someone whose name is not known here. */
void page_author(struct text *out, sqlite3_stmt *row, int id_column, int username_column);

/* Links to the neighbours of a page; nothing for a list of one page. `path` is a constant or was
 * made by us; it ends in ?page= or &page= and may hold text that is escaped. */
void page_links(struct text *out, struct text_view path, const struct paging *paging);

/* A whole page for an outcome other than done, and one for a bare status. */
void page_answer_outcome(const struct request *request, struct reply *reply,
                         const struct outcome *outcome);
void page_answer_status(const struct request *request, struct reply *reply, unsigned status);

/* 303 to the log-in page; 503 if nobody can tell whether they are logged in. */
void page_ask_to_log_in(const struct request *request, struct reply *reply);

/* The id in the path; else a 404 page. */
bool page_read_id(const struct request *request, struct reply *reply, int64_t *ret_id);

/* ?page=N, 1 if it is not there; else a 404 page. */
bool page_read_page(const struct request *request, struct reply *reply, int64_t *ret_page);

#endif
