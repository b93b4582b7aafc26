#include "extracted/posts/posts_pages.h"

#include <inttypes.h>
#include <stdio.h>

#include "extracted/posts/posts_queries.h"
#include "extracted/posts/thread_find.h"
#include "extracted/service_kit/authors.h"
#include "extracted/service_kit/page_form.h"

static void add_like(struct page *page, sqlite3_stmt *row)
{
    int64_t likes = sqlite3_column_int64(row, POST_LIKES);
    bool is_liked = sqlite3_column_int(row, POST_LIKED) != 0;
    html_add(page->body, "<span class=\"likes\">{} {}</span>\n", html_number(likes),
             html_string(likes == 1 ? "like" : "likes"));
    if (page->visitor.user == 0)
        return;
    html_add(page->body, "<form method=\"post\" action=\"/forum/p/{}/like\">",
             html_column_number(row, POST_ID));
    page_csrf_field(page);
    html_add(page->body, "<button name=\"like\" value=\"{}\">{}</button></form>\n",
             html_number(is_liked ? 0 : 1), html_string(is_liked ? "No longer like" : "Like"));
}

static void add_own_acts(struct page *page, sqlite3_stmt *row)
{
    struct html_value id = html_column_number(row, POST_ID);
    if (page->visitor.user == 0 || page->visitor.user != sqlite3_column_int64(row, POST_AUTHOR))
        return;
    html_add(page->body,
             "<a class=\"button\" href=\"/forum/p/{}/edit\">Edit</a>\n"
             "<form method=\"post\" action=\"/forum/p/{}/delete\">",
             id, id);
    page_csrf_field(page);
    html_add_constant(page->body, "<button>Delete</button></form>\n");
}

void posts_page_add_post(struct page *page, sqlite3_stmt *row, bool in_thread)
{
    struct body_text *body = page->body;
    html_add(body, "<article id=\"post-{}\">\n<p class=\"by\">", html_column_number(row, POST_ID));
    page_author(page, row, POST_AUTHOR, POST_USERNAME);
    html_add(body, ", {}", html_column_time(row, POST_CREATED));
    if (sqlite3_column_type(row, POST_EDITED) != SQLITE_NULL)
        html_add(body, ", edited {}", html_column_time(row, POST_EDITED));
    html_add(body, "</p>\n<div class=\"text\">{}</div>\n<div class=\"acts\">\n",
             html_column(row, POST_TEXT));
    if (in_thread) {
        add_like(page, row);
        add_own_acts(page, row);
    } else {
        html_add(body, "<a href=\"/forum/t/{}\">To its thread</a>\n",
                 html_column_number(row, POST_THREAD));
    }
    html_add_constant(body, "</div>\n</article>\n");
}

static void add_head(struct page *page, sqlite3_stmt *thread)
{
    page_begin(page, html_column(thread, THREAD_TITLE).text);
    html_add(page->body,
             "<nav class=\"crumbs\" aria-label=\"Where you are\"><a href=\"/forum\">Forum</a> "
             "<a href=\"/forum/c/{}\">{}</a></nav>\n<h1>{}</h1>\n<p class=\"by\">begun by ",
             html_column(thread, THREAD_SLUG), html_column(thread, THREAD_CATEGORY),
             html_column(thread, THREAD_TITLE));
    page_author(page, thread, THREAD_AUTHOR, THREAD_USERNAME);
    html_add(page->body, ", {}</p>\n", html_column_time(thread, THREAD_CREATED));
}

static bool add_posts(struct page *page, const struct post_listing *listing,
                      const struct page_list *list)
{
    char path[PAGE_PATH_BYTES];
    bool is_empty = true;
    sqlite3_stmt *rows = posts_listing_begin(page->database, listing, list->page);
    for (; database_next(rows); is_empty = false)
        posts_page_add_post(page, rows, true);
    if (is_empty)
        html_add_constant(page->body, "<p>Nobody has said anything here yet.</p>\n");
    int length = snprintf(path, sizeof(path), "/forum/t/%" PRId64 "?page=", listing->thread);
    page_links(page, (struct http_view){path, (size_t)length}, list);
    return database_end(page->database, rows);
}

static void add_reply_form(struct page *page, const struct thread_view *view)
{
    struct body_text *body = page->body;
    if (page->visitor.user == 0) {
        html_add_constant(body, "<p><a href=\"/forum/login\">Log in</a> to reply.</p>\n");
        return;
    }
    html_add(body, "<form class=\"main\" method=\"post\" action=\"/forum/t/{}/reply\">\n",
             html_number(view->thread));
    page_csrf_field(page);
    html_add_constant(body, "\n<label for=\"text\">Your reply</label>\n");
    if (view->fault != NULL)
        html_add(body, "<p class=\"fault\" id=\"text-fault\">{}</p>\n",
                 html_string(view->fault->detail));
    html_add_constant(
        body, "<textarea rows=\"6\" id=\"text\" name=\"text\" maxlength=\"10000\" required");
    /* At the end of a long page: focus makes it seen. */
    if (view->fault != NULL)
        html_add_constant(body, " autofocus aria-invalid=\"true\" aria-describedby=\"text-fault\"");
    html_add(body, ">\n{}</textarea>\n<button>Reply</button>\n</form>\n", html_view(view->text));
}

static sqlite3_stmt *begin_thread(struct page *page, int64_t id)
{
    sqlite3_stmt *thread = database_begin(page->database, QUERY_THREAD);
    sqlite3_bind_int64(thread, 1, id);
    return thread;
}

/* The names that the page lacks. False: logged. */
static bool collect(struct page *page, const struct post_listing *listing,
                    const struct page_list *list, struct json_ids *unknown)
{
    return authors_collect(page->database, begin_thread(page, listing->thread), THREAD_AUTHOR,
                           THREAD_USERNAME, unknown) &&
           authors_collect(page->database, posts_listing_begin(page->database, listing, list->page),
                           POST_AUTHOR, POST_USERNAME, unknown);
}

/* False: logged. */
static bool show(struct page *page, const struct thread_view *view)
{
    struct post_listing listing = {.thread = view->thread, .viewer = page->visitor.user};
    struct page_list list = {.page = view->page};
    struct json_ids unknown = {0};
    if (!posts_listing_count(page->database, &listing, &list.total) ||
        !collect(page, &listing, &list, &unknown))
        return false;
    if (!page_ask_names(page, &unknown))
        return true;
    sqlite3_stmt *thread = begin_thread(page, view->thread);
    bool is_good = database_next(thread);
    if (is_good) {
        add_head(page, thread);
        is_good = add_posts(page, &listing, &list);
        add_reply_form(page, view);
        page_end(page);
        page_form_set_status(page, view->fault);
    }
    return database_end(page->database, thread) && is_good;
}

void posts_page_show_thread(struct page *page, const struct thread_view *view)
{
    struct outcome outcome;
    if (!thread_find(page->database, page->request, page->reply, view->thread, &outcome))
        return;
    if (outcome.kind == OUTCOME_NOT_FOUND)
        page_reply_status(page, 404);
    else if (outcome.kind != OUTCOME_DONE)
        page_reply_outcome(page, &outcome);
    else if (!show(page, view))
        page_reply_status(page, 500);
}

void posts_page_thread(struct database *database, const struct http_request *request,
                       struct http_reply *reply)
{
    struct page page;
    struct thread_view view = {.text = {"", 0}};
    if (page_open(&page, database, request, reply) && page_read_page(&page, &view.page) &&
        page_read_id(&page, &view.thread))
        posts_page_show_thread(&page, &view);
}
