#include <inttypes.h>
#include <stdio.h>

#include "extracted/posts/posts_pages.h"
#include "extracted/posts/posts_queries.h"
#include "extracted/posts/posts_write.h"
#include "extracted/posts/thread_find.h"
#include "extracted/service_kit/page_form.h"

/* A form about a post, or about a thread to reply in. */
struct sent {
    struct page page;
    struct form form;
    struct post_write write;
};

/* Who, on what, with which form. False: the reply is made, or waits; nothing to end. */
static bool open_sent(struct sent *sent, struct database *database,
                      const struct http_request *request, struct http_reply *reply)
{
    struct page *page = &sent->page;
    if (!page_open(page, database, request, reply) || !page_read_id(page, &sent->write.id) ||
        !page_form_read_of_user(page, &sent->form))
        return false;
    sent->write.user = page->visitor.user;
    sent->write.text = form_value(&sent->form, "text");
    return true;
}

/* 303 to a thread, at the page where a post is, or was. */
static void see_thread(struct page *page, int64_t thread, int64_t post, bool at_post)
{
    char location[PAGE_PATH_BYTES];
    int64_t before = 0;
    sqlite3_stmt *count = database_begin(page->database, QUERY_POSTS_BEFORE);
    sqlite3_bind_int64(count, 1, thread);
    sqlite3_bind_int64(count, 2, post);
    if (database_next(count))
        before = sqlite3_column_int64(count, 0);
    database_end(page->database, count);
    int length = snprintf(location, sizeof(location), "/forum/t/%" PRId64 "?page=%" PRId64, thread,
                          before / PAGE_ROWS + 1);
    if (at_post)
        snprintf(location + length, sizeof(location) - (size_t)length, "#post-%" PRId64, post);
    page_see_other(page, location);
}

/* 0: there is no such post. */
static int64_t thread_of(struct page *page, int64_t post)
{
    sqlite3_stmt *row = posts_one_begin(page->database, post, 0);
    int64_t thread = database_next(row) ? sqlite3_column_int64(row, POST_THREAD) : 0;
    return database_end(page->database, row) ? thread : 0;
}

static void see_post(struct page *page, int64_t post)
{
    int64_t thread = thread_of(page, post);
    if (thread != 0)
        see_thread(page, thread, post, true);
    else
        page_see_other(page, "/forum");
}

static void reply_outcome(struct sent *sent, const struct outcome *outcome)
{
    if (outcome->kind == OUTCOME_DONE)
        see_post(&sent->page, outcome->id);
    else
        page_reply_outcome(&sent->page, outcome);
}

static void reply_in_thread(struct sent *sent)
{
    const struct http_request *request = sent->page.request;
    struct database *database = sent->page.database;
    struct outcome outcome = page_form_check(&posts_text_field, sent->write.text);
    if (outcome.kind != OUTCOME_DONE) {
        struct thread_view view = {
            .thread = sent->write.id, .page = 1, .text = sent->write.text, .fault = &outcome};
        posts_page_show_thread(&sent->page, &view);
        return;
    }
    if (!thread_find(database, request, sent->page.reply, sent->write.id, &outcome))
        return;
    if (outcome.kind == OUTCOME_DONE)
        outcome = posts_add(database, request, &sent->write);
    reply_outcome(sent, &outcome);
}

void posts_page_reply(struct database *database, const struct http_request *request,
                      struct http_reply *reply)
{
    struct sent sent;
    if (!open_sent(&sent, database, request, reply))
        return;
    reply_in_thread(&sent);
    form_done(&sent.form);
}

static void show_edit(struct page *page, struct http_view text, const struct outcome *fault)
{
    const struct page_field field = {"text", "Text", NULL, NULL, text, 10000, false};
    page_begin_named(page, "Edit your post");
    html_add_constant(page->body, "<h1>Edit your post</h1>\n");
    page_form_add(page, &(struct page_fields){"Save", &field, 1}, fault);
    page_end(page);
    page_form_set_status(page, fault);
}

static enum outcome_kind show_own(struct page *page, sqlite3_stmt *row)
{
    if (!database_next(row))
        return OUTCOME_NOT_FOUND;
    if (sqlite3_column_int64(row, POST_AUTHOR) != page->visitor.user)
        return OUTCOME_NOT_YOURS;
    show_edit(page, html_column(row, POST_TEXT).text, NULL);
    return OUTCOME_DONE;
}

void posts_page_edit(struct database *database, const struct http_request *request,
                     struct http_reply *reply)
{
    struct page page;
    int64_t post;
    struct json_ids unknown = {0};
    if (!page_open(&page, database, request, reply) || !page_read_id(&page, &post))
        return;
    if (page.visitor.user == 0) {
        page_ask_to_log_in(&page);
        return;
    }
    if (!page_ask_names(&page, &unknown))
        return;
    sqlite3_stmt *row = posts_one_begin(database, post, 0);
    struct outcome outcome = outcome_of(show_own(&page, row));
    if (!database_end(database, row))
        outcome = outcome_of(OUTCOME_BROKEN);
    if (outcome.kind != OUTCOME_DONE)
        page_reply_outcome(&page, &outcome);
}

void posts_page_edit_send(struct database *database, const struct http_request *request,
                          struct http_reply *reply)
{
    struct sent sent;
    struct json_ids unknown = {0};
    if (!open_sent(&sent, database, request, reply))
        return;
    struct outcome outcome = page_form_check(&posts_text_field, sent.write.text);
    if (outcome.kind == OUTCOME_DONE) {
        outcome = posts_edit(database, request, &sent.write);
        reply_outcome(&sent, &outcome);
    } else if (page_ask_names(&sent.page, &unknown)) {
        show_edit(&sent.page, sent.write.text, &outcome);
    }
    form_done(&sent.form);
}

void posts_page_delete(struct database *database, const struct http_request *request,
                       struct http_reply *reply)
{
    struct sent sent;
    if (!open_sent(&sent, database, request, reply))
        return;
    int64_t thread = thread_of(&sent.page, sent.write.id);
    struct outcome outcome = posts_delete(database, request, &sent.write);
    if (outcome.kind == OUTCOME_DONE)
        see_thread(&sent.page, thread, sent.write.id, false);
    else
        page_reply_outcome(&sent.page, &outcome);
    form_done(&sent.form);
}

void posts_page_like(struct database *database, const struct http_request *request,
                     struct http_reply *reply)
{
    struct sent sent;
    if (!open_sent(&sent, database, request, reply))
        return;
    bool is_taken_back = http_view_equals(form_value(&sent.form, "like"), "0");
    posts_write *write = is_taken_back ? posts_unlike : posts_like;
    struct outcome outcome = write(database, request, &sent.write);
    reply_outcome(&sent, &outcome);
    form_done(&sent.form);
}
