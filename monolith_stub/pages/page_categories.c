#include <inttypes.h>
#include <stdio.h>

#include "monolith_stub/pages/page.h"
#include "monolith_stub/pages/page_form.h"
#include "monolith_stub/pages/page_talk.h"
#include "monolith_stub/talk/lists.h"
#include "monolith_stub/talk/threads.h"

enum { FRONT_THREADS = 5, PATH_BYTES = 256 };

/* Columns of QUERY_CATEGORIES and QUERY_CATEGORY. */
enum { COLUMN_ID, COLUMN_SLUG, COLUMN_TITLE, COLUMN_DESCRIPTION };

static void append_thread(struct text *out, sqlite3_stmt *row)
{
    html(out, "<li><a href=\"/forum/t/{}\">{}</a> <span class=\"by\">by ",
         html_column_number(row, THREAD_ID), html_column(row, THREAD_TITLE));
    page_author(out, row, THREAD_AUTHOR, THREAD_USERNAME);
    html(out, ", {}</span></li>\n", html_column_time(row, THREAD_CREATED));
}

static bool append_threads(struct store *store, struct text *out, int64_t category, int most)
{
    struct paging paging;
    sqlite3_stmt *row = list_threads(store, category, 1, &paging);
    if (row == NULL)
        return false;
    html_raw(out, "<ul class=\"threads\">\n");
    for (int count = 0; count < most && store_next(row); count++)
        append_thread(out, row);
    html_raw(out, paging.total > 0 ? "</ul>\n" : "<li>No thread yet.</li>\n</ul>\n");
    return store_end(row);
}

void page_front(struct forum *forum, const struct request *request, struct reply *reply)
{
    struct text *out = &reply->body;
    bool complete = true;
    page_begin_named(request, reply, "Forum");
    html_raw(out, "<h1>The Fig Tree</h1>\n<p class=\"by\">A forum for people who take old things "
                  "apart, carefully.</p>\n");
    struct store *store = store_pool_take(forum->pool);
    sqlite3_stmt *row = store_begin(store, QUERY_CATEGORIES);
    while (complete && store_next(row)) {
        html(out, "<section>\n<h2><a href=\"/forum/c/{}\">{}</a></h2>\n<p class=\"by\">{}</p>\n",
             html_column(row, COLUMN_SLUG), html_column(row, COLUMN_TITLE),
             html_column(row, COLUMN_DESCRIPTION));
        complete = append_threads(store, out, sqlite3_column_int64(row, COLUMN_ID), FRONT_THREADS);
        html_raw(out, "</section>\n");
    }
    complete = store_end(row) && complete;
    store_pool_give_back(forum->pool, store);
    page_end(reply);
    if (!complete)
        page_answer_status(request, reply, 500);
}

static bool append_page(struct store *store, struct text *out, sqlite3_stmt *category, int64_t page)
{
    struct paging paging;
    char path[PATH_BYTES];
    sqlite3_stmt *row =
        list_threads(store, sqlite3_column_int64(category, COLUMN_ID), page, &paging);
    if (row == NULL)
        return false;
    html_raw(out, "<ul class=\"threads\">\n");
    bool is_empty = true;
    for (; store_next(row); is_empty = false)
        append_thread(out, row);
    html_raw(out, is_empty ? "<li>No thread here.</li>\n</ul>\n" : "</ul>\n");
    int length = snprintf(path, sizeof(path),
                          "/forum/c/%s?page=", sqlite3_column_text(category, COLUMN_SLUG));
    if (length > 0 && (size_t)length < sizeof(path))
        page_links(out, (struct text_view){path, (size_t)length}, &paging);
    return store_end(row);
}

static sqlite3_stmt *find_category(struct store *store, const struct request *request)
{
    struct text_view slug = request->parameters[0];
    sqlite3_stmt *category = store_begin(store, QUERY_CATEGORY);
    store_bind_text(category, 1, slug.bytes, slug.length);
    return category;
}

void page_category(struct forum *forum, const struct request *request, struct reply *reply)
{
    int64_t page;
    struct text *out = &reply->body;
    if (!page_read_page(request, reply, &page))
        return;
    struct store *store = store_pool_take(forum->pool);
    sqlite3_stmt *category = find_category(store, request);
    bool found = store_next(category);
    bool complete = true;
    if (found) {
        page_begin(request, reply, html_column(category, COLUMN_TITLE).text);
        html(out,
             "<nav class=\"crumbs\" aria-label=\"Where you are\"><a href=\"/forum\">Forum</a>"
             "</nav>\n<h1>{}</h1>\n<p class=\"by\">{}</p>\n"
             "<p><a class=\"button\" href=\"/forum/c/{}/new\">New thread</a></p>\n",
             html_column(category, COLUMN_TITLE), html_column(category, COLUMN_DESCRIPTION),
             html_column(category, COLUMN_SLUG));
        complete = append_page(store, out, category, page);
        page_end(reply);
    }
    complete = store_end(category) && complete;
    store_pool_give_back(forum->pool, store);
    if (!complete || !found)
        page_answer_status(request, reply, complete ? 404 : 500);
}

static void show_new(struct forum *forum, const struct request *request, struct reply *reply,
                     struct text_view title, const struct outcome *fault)
{
    const struct page_field field = {"title", "Title", "text", NULL, title, 120, false};
    struct store *store = store_pool_take(forum->pool);
    sqlite3_stmt *category = find_category(store, request);
    bool found = store_next(category);
    if (found) {
        page_begin_named(request, reply, "New thread");
        html(&reply->body,
             "<nav class=\"crumbs\" aria-label=\"Where you are\"><a href=\"/forum\">Forum</a> "
             "<a href=\"/forum/c/{}\">{}</a></nav>\n<h1>New thread</h1>\n",
             html_column(category, COLUMN_SLUG), html_column(category, COLUMN_TITLE));
        page_form(request, reply, "Begin the thread", &field, 1, fault);
        page_end(reply);
        page_form_set_status(reply, fault);
    }
    bool complete = store_end(category);
    store_pool_give_back(forum->pool, store);
    if (!complete || !found)
        page_answer_status(request, reply, complete ? 404 : 500);
}

void page_thread_new(struct forum *forum, const struct request *request, struct reply *reply)
{
    if (request->visitor.user == 0)
        page_ask_to_log_in(request, reply);
    else
        show_new(forum, request, reply, (struct text_view){"", 0}, NULL);
}

void page_thread_new_send(struct forum *forum, const struct request *request, struct reply *reply)
{
    struct form form;
    struct text_view title;
    if (!page_form_read_of_user(request, reply, &form))
        return;
    form_find(&form, "title", &title);
    struct outcome outcome = thread_add(forum, &request->visitor, request->parameters[0], title);
    if (outcome.kind == OUTCOME_DONE) {
        char location[64];
        snprintf(location, sizeof(location), "/forum/t/%" PRId64, outcome.id);
        reply_see_other(reply, location);
    } else if (page_form_takes(&outcome)) {
        show_new(forum, request, reply, title, &outcome); /* 404 if it is the category */
    } else {
        page_answer_outcome(request, reply, &outcome);
    }
    form_done(&form);
}
