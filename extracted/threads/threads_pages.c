#include "extracted/threads/threads_pages.h"

#include <inttypes.h>
#include <stdio.h>

#include "extracted/service_kit/authors.h"
#include "extracted/service_kit/page_form.h"
#include "extracted/threads/threads_queries.h"
#include "extracted/threads/threads_write.h"

enum { FRONT_ROWS = 5 };

/* The names that the front page lacks. False: logged. */
static bool collect_front(struct page *page, struct json_ids *unknown)
{
    struct database *database = page->database;
    sqlite3_stmt *category = database_begin(database, QUERY_CATEGORIES);
    bool is_good = true;
    while (is_good && database_next(category)) {
        int64_t id = sqlite3_column_int64(category, CATEGORY_ID);
        is_good = authors_collect(database, threads_page_begin(database, id, FRONT_ROWS, 0),
                                  THREAD_AUTHOR, THREAD_USERNAME, unknown);
    }
    return database_end(database, category) && is_good;
}

static void add_thread(struct page *page, sqlite3_stmt *row)
{
    html_add(page->body, "<li><a href=\"/forum/t/{}\">{}</a> <span class=\"by\">by ",
             html_column_number(row, THREAD_ID), html_column(row, THREAD_TITLE));
    page_author(page, row, THREAD_AUTHOR, THREAD_USERNAME);
    html_add(page->body, ", {}</span></li>\n", html_column_time(row, THREAD_CREATED));
}

/* Ends the query. False: logged. */
static bool add_threads(struct page *page, sqlite3_stmt *rows, const char *when_empty)
{
    bool is_empty = true;
    html_add_constant(page->body, "<ul class=\"threads\">\n");
    for (; database_next(rows); is_empty = false)
        add_thread(page, rows);
    if (is_empty)
        html_add(page->body, "<li>{}</li>\n", html_string(when_empty));
    html_add_constant(page->body, "</ul>\n");
    return database_end(page->database, rows);
}

static bool add_category(struct page *page, sqlite3_stmt *category)
{
    int64_t id = sqlite3_column_int64(category, CATEGORY_ID);
    html_add(page->body,
             "<section>\n<h2><a href=\"/forum/c/{}\">{}</a></h2>\n<p class=\"by\">{}</p>\n",
             html_column(category, CATEGORY_SLUG), html_column(category, CATEGORY_TITLE),
             html_column(category, CATEGORY_DESCRIPTION));
    bool is_good =
        add_threads(page, threads_page_begin(page->database, id, FRONT_ROWS, 0), "No thread yet.");
    html_add_constant(page->body, "</section>\n");
    return is_good;
}

void threads_page_front(struct database *database, const struct http_request *request,
                        struct http_reply *reply)
{
    struct page page;
    struct json_ids unknown = {0};
    if (!page_open(&page, database, request, reply))
        return;
    bool is_good = collect_front(&page, &unknown);
    if (is_good && !page_ask_names(&page, &unknown))
        return;
    page_begin_named(&page, "Forum");
    html_add_constant(page.body, "<h1>The Fig Tree</h1>\n<p class=\"by\">A forum for people who "
                                 "take old things apart, carefully.</p>\n");
    sqlite3_stmt *category = database_begin(database, QUERY_CATEGORIES);
    while (is_good && database_next(category))
        is_good = add_category(&page, category);
    is_good = database_end(database, category) && is_good;
    page_end(&page);
    if (!is_good)
        page_reply_status(&page, 500);
}

/* The category that the path names, on its row: end the query. NULL: the reply is a page that says
 * why not. */
static sqlite3_stmt *begin_category(struct page *page)
{
    sqlite3_stmt *category = threads_category_begin(page->database, page->request->parameters[0]);
    if (database_next(category))
        return category;
    page_reply_status(page, database_end(page->database, category) ? 404 : 500);
    return NULL;
}

static void add_crumbs(struct page *page, sqlite3_stmt *category)
{
    html_add_constant(page->body, "<nav class=\"crumbs\" aria-label=\"Where you are\">"
                                  "<a href=\"/forum\">Forum</a>");
    if (category != NULL)
        html_add(page->body, " <a href=\"/forum/c/{}\">{}</a>",
                 html_column(category, CATEGORY_SLUG), html_column(category, CATEGORY_TITLE));
    html_add_constant(page->body, "</nav>\n");
}

static bool show_category(struct page *page, sqlite3_stmt *category, const struct page_list *list)
{
    struct body_text path;
    int64_t id = sqlite3_column_int64(category, CATEGORY_ID);
    page_begin(page, html_column(category, CATEGORY_TITLE).text);
    add_crumbs(page, NULL);
    html_add(page->body,
             "<h1>{}</h1>\n<p class=\"by\">{}</p>\n"
             "<p><a class=\"button\" href=\"/forum/c/{}/new\">New thread</a></p>\n",
             html_column(category, CATEGORY_TITLE), html_column(category, CATEGORY_DESCRIPTION),
             html_column(category, CATEGORY_SLUG));
    bool is_good =
        add_threads(page, threads_page_begin(page->database, id, PAGE_ROWS, page_list_offset(list)),
                    "No thread here.");
    body_text_init(&path, HTTP_REPLY_LIMIT);
    body_text_add_string(&path, "/forum/c/");
    body_text_add_string(&path, (const char *)sqlite3_column_text(category, CATEGORY_SLUG));
    body_text_add_string(&path, "?page=");
    page_links(page, (struct http_view){path.bytes, path.length}, list);
    body_text_done(&path);
    page_end(page);
    return is_good;
}

void threads_page_category(struct database *database, const struct http_request *request,
                           struct http_reply *reply)
{
    struct page page;
    struct page_list list;
    struct json_ids unknown = {0};
    if (!page_open(&page, database, request, reply) || !page_read_page(&page, &list.page))
        return;
    sqlite3_stmt *category = begin_category(&page);
    if (category == NULL)
        return;
    int64_t id = sqlite3_column_int64(category, CATEGORY_ID);
    list.total = sqlite3_column_int64(category, CATEGORY_THREADS);
    bool is_good = authors_collect(
        database, threads_page_begin(database, id, PAGE_ROWS, page_list_offset(&list)),
        THREAD_AUTHOR, THREAD_USERNAME, &unknown);
    if (is_good && page_ask_names(&page, &unknown))
        is_good = show_category(&page, category, &list);
    if (!database_end(database, category) || !is_good)
        page_reply_status(&page, 500);
}

static void show_new(struct page *page, struct http_view title, const struct outcome *fault)
{
    const struct page_field field = {"title", "Title", "text", NULL, title, 120, false};
    const struct page_fields fields = {"Begin the thread", &field, 1};
    struct json_ids unknown = {0};
    if (!page_ask_names(page, &unknown))
        return;
    sqlite3_stmt *category = begin_category(page);
    if (category == NULL)
        return;
    page_begin_named(page, "New thread");
    add_crumbs(page, category);
    html_add_constant(page->body, "<h1>New thread</h1>\n");
    page_form_add(page, &fields, fault);
    page_end(page);
    page_form_set_status(page, fault);
    if (!database_end(page->database, category))
        page_reply_status(page, 500);
}

void threads_page_new(struct database *database, const struct http_request *request,
                      struct http_reply *reply)
{
    struct page page;
    if (!page_open(&page, database, request, reply))
        return;
    if (page.visitor.user == 0)
        page_ask_to_log_in(&page);
    else
        show_new(&page, (struct http_view){"", 0}, NULL);
}

static struct outcome add(const struct page *page, struct http_view title)
{
    const struct new_thread thread = {
        .user = page->visitor.user, .title = title, .slug = page->request->parameters[0]};
    struct outcome outcome = page_form_check(&threads_title_field, title);
    if (outcome.kind != OUTCOME_DONE)
        return outcome;
    return threads_add(page->database, page->request, &thread);
}

void threads_page_new_send(struct database *database, const struct http_request *request,
                           struct http_reply *reply)
{
    struct page page;
    struct form form;
    if (!page_open(&page, database, request, reply) || !page_form_read_of_user(&page, &form))
        return;
    struct http_view title = form_value(&form, "title");
    struct outcome outcome = add(&page, title);
    if (outcome.kind == OUTCOME_DONE) {
        char location[PAGE_PATH_BYTES];
        snprintf(location, sizeof(location), "/forum/t/%" PRId64, outcome.id);
        page_see_other(&page, location);
    } else if (page_form_takes(&outcome)) {
        show_new(&page, title, &outcome); /* 404 if it is the category */
    } else {
        page_reply_outcome(&page, &outcome);
    }
    form_done(&form);
}
