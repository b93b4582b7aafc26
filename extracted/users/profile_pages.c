#include <inttypes.h>
#include <stdio.h>

#include "extracted/service_kit/page_form.h"
#include "extracted/users/accounts.h"
#include "extracted/users/users_pages.h"
#include "extracted/users/users_queries.h"

/* Columns of QUERY_PROFILE. */
enum { COLUMN_USERNAME = 1, COLUMN_NAME, COLUMN_BIO, COLUMN_CREATED };

static void show_profile(struct page *page, sqlite3_stmt *row, int64_t id)
{
    page_begin(page, html_column(row, COLUMN_USERNAME).text);
    html_add(page->body,
             "<h1>{}</h1>\n<dl>\n<dt>Name</dt>\n<dd>{}</dd>\n<dt>About</dt>\n"
             "<dd class=\"text\">{}</dd>\n<dt>Here since</dt>\n<dd>{}</dd>\n</dl>\n",
             html_column(row, COLUMN_USERNAME), html_column(row, COLUMN_NAME),
             html_column(row, COLUMN_BIO), html_column_time(row, COLUMN_CREATED));
    if (page->visitor.user == id)
        html_add(page->body, "<p><a class=\"button\" href=\"/forum/u/{}/edit\">Edit</a></p>\n",
                 html_number(id));
    page_end(page);
}

static void show_edit(struct page *page, struct http_view name, struct http_view bio,
                      const struct outcome *fault)
{
    const struct page_field fields[] = {
        {"name", "Your name, as others see it", "text", "name", name, 80, true},
        {"bio", "About you", NULL, NULL, bio, 500, true},
    };
    page_begin_named(page, "Edit your profile");
    html_add_constant(page->body, "<h1>Edit your profile</h1>\n");
    page_form_add(page, &(struct page_fields){"Save", fields, 2}, fault);
    page_end(page);
    page_form_set_status(page, fault);
}

static void reply_profile(struct page *page, int64_t id, bool to_edit)
{
    struct json_ids unknown = {0};
    if (!page_ask_names(page, &unknown))
        return;
    sqlite3_stmt *row = database_begin(page->database, QUERY_PROFILE);
    sqlite3_bind_int64(row, 1, id);
    bool found = database_next(row);
    if (found && to_edit)
        show_edit(page, html_column(row, COLUMN_NAME).text, html_column(row, COLUMN_BIO).text,
                  NULL);
    else if (found)
        show_profile(page, row, id);
    bool is_whole = database_end(page->database, row);
    if (!is_whole || !found)
        page_reply_status(page, is_whole ? 404 : 500);
}

void users_page_profile(struct database *database, const struct http_request *request,
                        struct http_reply *reply)
{
    struct page page;
    int64_t id;
    if (page_open(&page, database, request, reply) && page_read_id(&page, &id))
        reply_profile(&page, id, false);
}

void users_page_edit(struct database *database, const struct http_request *request,
                     struct http_reply *reply)
{
    struct outcome outcome = outcome_of(OUTCOME_NOT_YOURS);
    struct page page;
    int64_t id;
    if (!page_open(&page, database, request, reply) || !page_read_id(&page, &id))
        return;
    if (page.visitor.user == id)
        reply_profile(&page, id, true);
    else if (page.visitor.user == 0)
        page_ask_to_log_in(&page);
    else
        page_reply_outcome(&page, &outcome);
}

static void reply_edited(struct page *page, const struct profile_form *profile,
                         const struct outcome *outcome)
{
    char location[64];
    struct json_ids unknown = {0};
    if (outcome->kind == OUTCOME_DONE) {
        snprintf(location, sizeof(location), "/forum/u/%" PRId64, profile->id);
        page_see_other(page, location);
    } else if (!page_form_takes(outcome)) {
        page_reply_outcome(page, outcome);
    } else if (page_ask_names(page, &unknown)) {
        show_edit(page, *profile->name, *profile->bio, outcome);
    }
}

void users_page_edit_send(struct database *database, const struct http_request *request,
                          struct http_reply *reply)
{
    struct account_call call = {database, request, reply};
    struct page page;
    struct form form;
    struct profile_form profile;
    if (!page_open(&page, database, request, reply) || !page_read_id(&page, &profile.id) ||
        !page_form_read_of_user(&page, &form))
        return;
    struct http_view name = form_value(&form, "name");
    struct http_view bio = form_value(&form, "bio");
    profile.name = &name;
    profile.bio = &bio;
    struct outcome outcome = profile_edit(&call, page.visitor.user, &profile);
    reply_edited(&page, &profile, &outcome);
    form_done(&form);
}
