#include <inttypes.h>
#include <stdio.h>

#include "monolith_stub/pages/page.h"
#include "monolith_stub/pages/page_form.h"
#include "monolith_stub/pages/page_talk.h"
#include "monolith_stub/talk/lists.h"
#include "monolith_stub/talk/posts.h"

enum { PATH_BYTES = 96 };

static void append_like(const struct request *request, struct reply *reply, sqlite3_stmt *row)
{
    struct text *out = &reply->body;
    int64_t likes = sqlite3_column_int64(row, POST_LIKES);
    bool is_liked = sqlite3_column_int(row, POST_LIKED) != 0;
    html(out, "<span class=\"likes\">{} {}</span>\n", html_number(likes),
         html_string(likes == 1 ? "like" : "likes"));
    if (request->visitor.user == 0)
        return;
    html(out, "<form method=\"post\" action=\"/forum/p/{}/like\">",
         html_column_number(row, POST_ID));
    page_csrf_field(request, reply);
    html(out, "<button name=\"like\" value=\"{}\">{}</button></form>\n", html_number(!is_liked),
         html_string(is_liked ? "No longer like" : "Like"));
}

static void append_own(const struct request *request, struct reply *reply, sqlite3_stmt *row)
{
    struct html_value id = html_column_number(row, POST_ID);
    if (request->visitor.user != sqlite3_column_int64(row, POST_AUTHOR) ||
        request->visitor.user == 0)
        return;
    html(&reply->body,
         "<a class=\"button\" href=\"/forum/p/{}/edit\">Edit</a>\n"
         "<form method=\"post\" action=\"/forum/p/{}/delete\">",
         id, id);
    page_csrf_field(request, reply);
    html_raw(&reply->body, "<button>Delete</button></form>\n");
}

void page_post(const struct request *request, struct reply *reply, sqlite3_stmt *row,
               bool in_thread)
{
    struct text *out = &reply->body;
    html(out, "<article id=\"post-{}\">\n<p class=\"by\">", html_column_number(row, POST_ID));
    page_author(out, row, POST_AUTHOR, POST_USERNAME);
    html(out, ", {}", html_column_time(row, POST_CREATED));
    if (sqlite3_column_type(row, POST_EDITED) != SQLITE_NULL)
        html(out, ", edited {}", html_column_time(row, POST_EDITED));
    html(out, "</p>\n<div class=\"text\">{}</div>\n<div class=\"acts\">\n",
         html_column(row, POST_TEXT));
    if (in_thread) {
        append_like(request, reply, row);
        append_own(request, reply, row);
    } else {
        html(out, "<a href=\"/forum/t/{}\">To its thread</a>\n",
             html_column_number(row, POST_THREAD));
    }
    html_raw(out, "</div>\n</article>\n");
}

static bool append_posts(struct store *store, const struct request *request, struct reply *reply,
                         int64_t thread, int64_t page)
{
    struct paging paging;
    char path[PATH_BYTES];
    sqlite3_stmt *row = list_posts(store, thread, request->visitor.user, page, &paging);
    if (row == NULL)
        return false;
    bool is_empty = true;
    for (; store_next(row); is_empty = false)
        page_post(request, reply, row, true);
    if (is_empty)
        html_raw(&reply->body, "<p>Nobody has said anything here yet.</p>\n");
    int length = snprintf(path, sizeof(path), "/forum/t/%" PRId64 "?page=", thread);
    page_links(&reply->body, (struct text_view){path, (size_t)length}, &paging);
    return store_end(row);
}

static void append_reply_form(const struct request *request, struct reply *reply, int64_t thread,
                              struct text_view text, const struct outcome *fault)
{
    struct text *out = &reply->body;
    if (request->visitor.user == 0) {
        html_raw(out, "<p><a href=\"/forum/login\">Log in</a> to reply.</p>\n");
        return;
    }
    html(out, "<form class=\"main\" method=\"post\" action=\"/forum/t/{}/reply\">\n",
         html_number(thread));
    page_csrf_field(request, reply);
    html_raw(out, "\n<label for=\"text\">Your reply</label>\n");
    if (fault != NULL)
        html(out, "<p class=\"fault\" id=\"text-fault\">{}</p>\n",
             html_string(outcome_detail(fault)));
    html_raw(out, "<textarea rows=\"6\" id=\"text\" name=\"text\" maxlength=\"10000\" required");
    /* At the end of a long page: focus makes it seen. */
    if (fault != NULL)
        html_raw(out, " autofocus aria-invalid=\"true\" aria-describedby=\"text-fault\"");
    html(out, ">\n{}</textarea>\n<button>Reply</button>\n</form>\n", html_view(text));
}

static void append_head(const struct request *request, struct reply *reply, sqlite3_stmt *thread)
{
    struct text *out = &reply->body;
    page_begin(request, reply, html_column(thread, THREAD_TITLE).text);
    html(out,
         "<nav class=\"crumbs\" aria-label=\"Where you are\"><a href=\"/forum\">Forum</a> "
         "<a href=\"/forum/c/{}\">{}</a></nav>\n<h1>{}</h1>\n<p class=\"by\">begun by ",
         html_column(thread, THREAD_SLUG), html_column(thread, THREAD_CATEGORY),
         html_column(thread, THREAD_TITLE));
    page_author(out, thread, THREAD_AUTHOR, THREAD_USERNAME);
    html(out, ", {}</p>\n", html_column_time(thread, THREAD_CREATED));
}

static void show_thread(struct forum *forum, const struct request *request, struct reply *reply,
                        int64_t page, const struct outcome *fault, struct text_view text)
{
    int64_t id;
    if (!page_read_id(request, reply, &id))
        return;
    bool complete = true;
    struct store *store = store_pool_take(forum->pool);
    sqlite3_stmt *thread = list_one_thread(store, id);
    bool found = store_next(thread);
    if (found) {
        append_head(request, reply, thread);
        complete = append_posts(store, request, reply, id, page);
        append_reply_form(request, reply, id, text, fault);
        page_end(reply);
        page_form_set_status(reply, fault);
    }
    complete = store_end(thread) && complete;
    store_pool_give_back(forum->pool, store);
    if (!complete || !found)
        page_answer_status(request, reply, complete ? 404 : 500);
}

void page_thread(struct forum *forum, const struct request *request, struct reply *reply)
{
    int64_t page;
    if (page_read_page(request, reply, &page))
        show_thread(forum, request, reply, page, NULL, (struct text_view){"", 0});
}

void page_reply_send(struct forum *forum, const struct request *request, struct reply *reply)
{
    int64_t thread;
    struct form form;
    struct text_view text;
    if (!page_read_id(request, reply, &thread) || !page_form_read_of_user(request, reply, &form))
        return;
    form_find(&form, "text", &text);
    struct outcome outcome = post_add(forum, &request->visitor, thread, text);
    if (outcome.kind == OUTCOME_DONE)
        page_see_post(forum, reply, outcome.id);
    else if (page_form_takes(&outcome))
        show_thread(forum, request, reply, 1, &outcome, text);
    else
        page_answer_outcome(request, reply, &outcome);
    form_done(&form);
}
