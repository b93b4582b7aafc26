#include <inttypes.h>
#include <stdio.h>

#include "monolith_stub/input/field_check.h"
#include "monolith_stub/pages/page.h"
#include "monolith_stub/pages/page_form.h"
#include "monolith_stub/pages/page_talk.h"
#include "monolith_stub/talk/lists.h"
#include "monolith_stub/talk/posts.h"
#include "monolith_stub/talk/search.h"

enum { LOCATION_BYTES = 128, SEARCH_PATH_BYTES = 1024 };

/* 303 to a thread, at the page where a post is (or was). */
static void see_thread(struct store *store, struct reply *reply, int64_t thread, int64_t post,
                       bool at_post)
{
    char location[LOCATION_BYTES];
    int64_t before = 0;
    sqlite3_stmt *count = store_begin(store, QUERY_POST_BEFORE);
    sqlite3_bind_int64(count, 1, thread);
    sqlite3_bind_int64(count, 2, post);
    if (store_next(count))
        before = sqlite3_column_int64(count, 0);
    store_end(count);
    int length = snprintf(location, sizeof(location), "/forum/t/%" PRId64 "?page=%" PRId64, thread,
                          paging_page_of(before));
    if (at_post)
        snprintf(location + length, sizeof(location) - (size_t)length, "#post-%" PRId64, post);
    reply_see_other(reply, location);
}

void page_see_post(struct forum *forum, struct reply *reply, int64_t post)
{
    struct post_facts facts;
    struct store *store = store_pool_take(forum->pool);
    if (post_facts_read(store, post, 0, &facts) == POST_FOUND)
        see_thread(store, reply, facts.thread, post, true);
    else
        reply_see_other(reply, "/forum");
    store_pool_give_back(forum->pool, store);
}

static void show_edit(const struct request *request, struct reply *reply, struct text_view text,
                      const struct outcome *fault)
{
    const struct page_field field = {"text", "Text", NULL, NULL, text, 10000, false};
    page_begin_named(request, reply, "Edit your post");
    html_raw(&reply->body, "<h1>Edit your post</h1>\n");
    page_form(request, reply, "Save", &field, 1, fault);
    page_end(reply);
    page_form_set_status(reply, fault);
}

void page_post_edit(struct forum *forum, const struct request *request, struct reply *reply)
{
    int64_t id;
    if (!page_read_id(request, reply, &id))
        return;
    if (request->visitor.user == 0) {
        page_ask_to_log_in(request, reply);
        return;
    }
    struct outcome outcome = outcome_of(OUTCOME_DONE);
    struct store *store = store_pool_take(forum->pool);
    sqlite3_stmt *row = list_one_post(store, id, 0);
    if (!store_next(row))
        outcome = outcome_of(OUTCOME_NOT_FOUND);
    else if (sqlite3_column_int64(row, POST_AUTHOR) != request->visitor.user)
        outcome = outcome_of(OUTCOME_NOT_YOURS);
    else
        show_edit(request, reply, html_column(row, POST_TEXT).text, NULL);
    if (!store_end(row))
        outcome = outcome_of(OUTCOME_BROKEN);
    store_pool_give_back(forum->pool, store);
    if (outcome.kind != OUTCOME_DONE)
        page_answer_outcome(request, reply, &outcome);
}

void page_post_edit_send(struct forum *forum, const struct request *request, struct reply *reply)
{
    int64_t id;
    struct form form;
    struct text_view text;
    if (!page_read_id(request, reply, &id) || !page_form_read_of_user(request, reply, &form))
        return;
    form_find(&form, "text", &text);
    struct outcome outcome = post_edit(forum, &request->visitor, id, text);
    if (outcome.kind == OUTCOME_DONE)
        page_see_post(forum, reply, id);
    else if (page_form_takes(&outcome))
        show_edit(request, reply, text, &outcome);
    else
        page_answer_outcome(request, reply, &outcome);
    form_done(&form);
}

void page_post_delete_send(struct forum *forum, const struct request *request, struct reply *reply)
{
    int64_t id;
    struct form form;
    struct post_facts facts = {0};
    if (!page_read_id(request, reply, &id) || !page_form_read_of_user(request, reply, &form))
        return;
    form_done(&form);
    struct store *store = store_pool_take(forum->pool);
    post_facts_read(store, id, 0, &facts);
    store_pool_give_back(forum->pool, store);
    struct outcome outcome = post_delete(forum, &request->visitor, id);
    if (outcome.kind != OUTCOME_DONE) {
        page_answer_outcome(request, reply, &outcome);
        return;
    }
    store = store_pool_take(forum->pool);
    see_thread(store, reply, facts.thread, id, false);
    store_pool_give_back(forum->pool, store);
}

/* like=0 takes a like back; anything else gives one. */
void page_post_like_send(struct forum *forum, const struct request *request, struct reply *reply)
{
    int64_t id;
    struct form form;
    struct text_view like;
    if (!page_read_id(request, reply, &id) || !page_form_read_of_user(request, reply, &form))
        return;
    form_find(&form, "like", &like);
    bool likes = like.length != 1 || like.bytes[0] != '0';
    form_done(&form);
    struct outcome outcome = post_like(forum, &request->visitor, id, likes);
    if (outcome.kind == OUTCOME_DONE)
        page_see_post(forum, reply, id);
    else
        page_answer_outcome(request, reply, &outcome);
}

/* /forum/search?q=…&page=, with what was searched for encoded again. */
static void write_search_path(struct text *out, struct text_view words)
{
    static const char digits[] = "0123456789ABCDEF";
    text_append_string(out, "/forum/search?q=");
    for (size_t i = 0; i < words.length; i++) {
        unsigned char byte = (unsigned char)words.bytes[i];
        char escaped[3] = {'%', digits[byte >> 4], digits[byte & 15]};
        text_append(out, escaped, sizeof(escaped));
    }
    text_append_string(out, "&page=");
}

static bool append_found(struct store *store, const struct request *request, struct reply *reply,
                         struct text_view words, int64_t page)
{
    struct paging paging;
    struct text expression;
    struct text path;
    text_init(&expression, SEARCH_EXPRESSION_BYTES);
    text_init(&path, SEARCH_PATH_BYTES * 4);
    search_write_expression(&expression, words);
    sqlite3_stmt *row = list_found_posts(store, &expression, request->visitor.user, page, &paging);
    if (row != NULL) {
        html(&reply->body, "<p>Found: {}</p>\n", html_number(paging.total));
        while (store_next(row))
            page_post(request, reply, row, false);
        write_search_path(&path, words);
        page_links(&reply->body, (struct text_view){path.bytes, path.length}, &paging);
    }
    bool complete = row != NULL && store_end(row);
    text_done(&expression);
    text_done(&path);
    return complete;
}

static bool is_blank(struct text_view words)
{
    struct text expression;
    text_init(&expression, SEARCH_EXPRESSION_BYTES);
    search_write_expression(&expression, words);
    bool blank = expression.length == 0;
    text_done(&expression);
    return blank;
}

static bool show_search(struct forum *forum, const struct request *request, struct reply *reply,
                        struct text_view words, int64_t page)
{
    struct text *out = &reply->body;
    bool complete = true;
    const char *fault = words.length > 0 ? check_search(words) : NULL;
    page_begin_named(request, reply, "Search");
    html(out,
         "<h1>Search</h1>\n<form class=\"main\" method=\"get\" role=\"search\">\n"
         "<label for=\"q\">Words in posts</label>\n"
         "<input type=\"search\" id=\"q\" name=\"q\" maxlength=\"200\" value=\"{}\">\n"
         "<button>Search</button>\n</form>\n",
         html_view(words));
    if (fault != NULL) {
        html(out, "<p class=\"fault\">{}</p>\n", html_string(fault));
        reply->status = 422;
    } else if (!is_blank(words)) {
        struct store *store = store_pool_take(forum->pool);
        complete = append_found(store, request, reply, words, page);
        store_pool_give_back(forum->pool, store);
    }
    page_end(reply);
    return complete;
}

void page_search(struct forum *forum, const struct request *request, struct reply *reply)
{
    int64_t page;
    struct form form;
    struct text_view words;
    if (!page_read_page(request, reply, &page) || !form_read(request->query, &form))
        return;
    form_find(&form, "q", &words);
    if (!show_search(forum, request, reply, words, page))
        page_answer_status(request, reply, 500);
    form_done(&form);
}
