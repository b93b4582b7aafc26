#include "extracted/service_kit/cookies.h"
#include "extracted/service_kit/page_form.h"
#include "extracted/users/accounts.h"
#include "extracted/users/users_pages.h"

/* `fault` is the outcome of what was sent before, or NULL. */
typedef void show_form(struct page *page, const struct account_form *form,
                       const struct outcome *fault);

static const struct account_form empty_form = {{"", 0}, {"", 0}, {"", 0}};

/* A password is never sent back. */
static void show_register(struct page *page, const struct account_form *form,
                          const struct outcome *fault)
{
    const struct page_field fields[] = {
        {"username", "User name (3 to 32 letters, digits, - or _)", "text", "username",
         form->username, 32, false},
        {"name", "Your name, as others see it", "text", "name", form->name, 80, true},
        {"password",
         "Password (at least 8 characters)",
         "password",
         "new-password",
         {"", 0},
         200,
         false},
    };
    page_begin_named(page, "Register");
    html_add_constant(page->body, "<h1>Register</h1>\n");
    page_form_add(page, &(struct page_fields){"Register", fields, 3}, fault);
    html_add_constant(page->body,
                      "<p>You have an account? <a href=\"/forum/login\">Log in</a>.</p>\n");
    page_end(page);
    page_form_set_status(page, fault);
}

static void show_log_in(struct page *page, const struct account_form *form,
                        const struct outcome *fault)
{
    const struct page_field fields[] = {
        {"username", "User name", "text", "username", form->username, 32, false},
        {"password", "Password", "password", "current-password", {"", 0}, 200, false},
    };
    page_begin_named(page, "Log in");
    html_add_constant(page->body, "<h1>Log in</h1>\n");
    page_form_add(page, &(struct page_fields){"Log in", fields, 2}, fault);
    html_add_constant(page->body, "<p>New here? <a href=\"/forum/register\">Register</a>.</p>\n");
    page_end(page);
    page_form_set_status(page, fault);
}

static void show_empty(const struct account_call *call, show_form *show)
{
    struct page page;
    struct json_ids unknown = {0};
    if (page_open(&page, call->database, call->request, call->reply) &&
        page_ask_names(&page, &unknown))
        show(&page, &empty_form, NULL);
}

void users_page_register(struct database *database, const struct http_request *request,
                         struct http_reply *reply)
{
    show_empty(&(struct account_call){database, request, reply}, show_register);
}

void users_page_log_in(struct database *database, const struct http_request *request,
                       struct http_reply *reply)
{
    show_empty(&(struct account_call){database, request, reply}, show_log_in);
}

static void reply_refused(struct page *page, const struct account_form *form,
                          const struct outcome *outcome, show_form *show)
{
    struct json_ids unknown = {0};
    if (!page_ask_names(page, &unknown))
        return;
    if (page_form_takes(outcome))
        show(page, form, outcome);
    else
        page_reply_outcome(page, outcome);
}

static void enter(const struct account_call *call, account_enter *open, show_form *show)
{
    struct page page;
    struct form form;
    struct token sid;
    struct outcome outcome;
    if (!page_open(&page, call->database, call->request, call->reply) ||
        !page_form_read(&page, &form))
        return;
    struct account_form fields = {.username = form_value(&form, "username"),
                                  .password = form_value(&form, "password"),
                                  .name = form_value(&form, "name")};
    bool is_settled = open(call, &fields, &sid, &outcome);
    if (is_settled && outcome.kind == OUTCOME_DONE) {
        page_see_other(&page, "/forum");
        cookie_set_sid(call->request, call->reply, &sid);
    } else if (is_settled) {
        reply_refused(&page, &fields, &outcome, show);
    }
    form_done(&form);
}

void users_page_register_send(struct database *database, const struct http_request *request,
                              struct http_reply *reply)
{
    enter(&(struct account_call){database, request, reply}, account_register, show_register);
}

void users_page_log_in_send(struct database *database, const struct http_request *request,
                            struct http_reply *reply)
{
    enter(&(struct account_call){database, request, reply}, account_log_in, show_log_in);
}

void users_page_log_out(struct database *database, const struct http_request *request,
                        struct http_reply *reply)
{
    struct account_call call = {database, request, reply};
    struct page page;
    struct form form;
    if (!page_open(&page, database, request, reply) || !page_form_read_of_user(&page, &form))
        return;
    form_done(&form);
    struct outcome outcome = account_log_out(&call, page.visitor.user);
    if (outcome.kind != OUTCOME_DONE) {
        page_reply_outcome(&page, &outcome);
        return;
    }
    page_see_other(&page, "/forum");
    cookie_forget_sid(request, reply);
}
