#include <inttypes.h>
#include <stdio.h>

#include "monolith_stub/pages/page.h"
#include "monolith_stub/pages/page_form.h"
#include "monolith_stub/pages/page_people.h"
#include "monolith_stub/people/accounts.h"

/* Columns of QUERY_PROFILE. */
enum { COLUMN_USERNAME = 1, COLUMN_NAME, COLUMN_BIO, COLUMN_CREATED };

static void show_profile(const struct request *request, struct reply *reply, sqlite3_stmt *row,
                         int64_t id)
{
    struct text *out = &reply->body;
    page_begin(request, reply, html_column(row, COLUMN_USERNAME).text);
    html(out,
         "<h1>{}</h1>\n<dl>\n<dt>Name</dt>\n<dd>{}</dd>\n<dt>About</dt>\n"
         "<dd class=\"text\">{}</dd>\n<dt>Here since</dt>\n<dd>{}</dd>\n</dl>\n",
         html_column(row, COLUMN_USERNAME), html_column(row, COLUMN_NAME),
         html_column(row, COLUMN_BIO), html_column_time(row, COLUMN_CREATED));
    if (request->visitor.user == id)
        html(out, "<p><a class=\"button\" href=\"/forum/u/{}/edit\">Edit</a></p>\n",
             html_number(id));
    page_end(reply);
}

static void show_edit(const struct request *request, struct reply *reply, struct text_view name,
                      struct text_view bio, const struct outcome *fault)
{
    const struct page_field fields[] = {
        {"name", "Your name, as others see it", "text", "name", name, 80, true},
        {"bio", "About you", NULL, NULL, bio, 500, true},
    };
    page_begin_named(request, reply, "Edit your profile");
    html_raw(&reply->body, "<h1>Edit your profile</h1>\n");
    page_form(request, reply, "Save", fields, 2, fault);
    page_end(reply);
    page_form_set_status(reply, fault);
}

static void answer(struct forum *forum, const struct request *request, struct reply *reply,
                   bool to_edit)
{
    int64_t id;
    if (!page_read_id(request, reply, &id))
        return;
    struct store *store = store_pool_take(forum->pool);
    sqlite3_stmt *row = store_begin(store, QUERY_PROFILE);
    sqlite3_bind_int64(row, 1, id);
    bool found = store_next(row);
    if (found && to_edit)
        show_edit(request, reply, html_column(row, COLUMN_NAME).text,
                  html_column(row, COLUMN_BIO).text, NULL);
    else if (found)
        show_profile(request, reply, row, id);
    bool complete = store_end(row);
    store_pool_give_back(forum->pool, store);
    if (!complete || !found)
        page_answer_status(request, reply, complete ? 404 : 500);
}

void page_profile(struct forum *forum, const struct request *request, struct reply *reply)
{
    answer(forum, request, reply, false);
}

void page_profile_edit(struct forum *forum, const struct request *request, struct reply *reply)
{
    int64_t id;
    if (!page_read_id(request, reply, &id))
        return;
    if (request->visitor.user == id) {
        answer(forum, request, reply, true);
    } else if (request->visitor.user == 0) {
        page_ask_to_log_in(request, reply);
    } else {
        struct outcome outcome = outcome_of(OUTCOME_NOT_YOURS);
        page_answer_outcome(request, reply, &outcome);
    }
}

void page_profile_edit_send(struct forum *forum, const struct request *request, struct reply *reply)
{
    int64_t id;
    struct form form;
    struct text_view name;
    struct text_view bio;
    if (!page_read_id(request, reply, &id) || !page_form_read_of_user(request, reply, &form))
        return;
    form_find(&form, "name", &name);
    form_find(&form, "bio", &bio);
    struct outcome outcome = profile_edit(forum, &request->visitor, id, &name, &bio);
    if (outcome.kind == OUTCOME_DONE) {
        char location[64];
        snprintf(location, sizeof(location), "/forum/u/%" PRId64, id);
        reply_see_other(reply, location);
    } else if (page_form_takes(&outcome)) {
        show_edit(request, reply, name, bio, &outcome);
    } else {
        page_answer_outcome(request, reply, &outcome);
    }
    form_done(&form);
}
