#include "monolith_stub/pages/page.h"
#include "monolith_stub/pages/page_form.h"
#include "monolith_stub/pages/page_people.h"
#include "monolith_stub/people/accounts.h"
#include "monolith_stub/people/cookies.h"

/* A password is never sent back. */
static void show_register(const struct request *request, struct reply *reply,
                          const struct account_form *form, const struct outcome *fault)
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
    page_begin_named(request, reply, "Register");
    html_raw(&reply->body, "<h1>Register</h1>\n");
    page_form(request, reply, "Register", fields, 3, fault);
    html_raw(&reply->body, "<p>You have an account? <a href=\"/forum/login\">Log in</a>.</p>\n");
    page_end(reply);
    page_form_set_status(reply, fault);
}

static void show_log_in(const struct request *request, struct reply *reply,
                        const struct account_form *form, const struct outcome *fault)
{
    const struct page_field fields[] = {
        {"username", "User name", "text", "username", form->username, 32, false},
        {"password", "Password", "password", "current-password", {"", 0}, 200, false},
    };
    page_begin_named(request, reply, "Log in");
    html_raw(&reply->body, "<h1>Log in</h1>\n");
    page_form(request, reply, "Log in", fields, 2, fault);
    html_raw(&reply->body, "<p>New here? <a href=\"/forum/register\">Register</a>.</p>\n");
    page_end(reply);
    page_form_set_status(reply, fault);
}

static const struct account_form empty_form = {
    .username = {"", 0}, .password = {"", 0}, .name = {"", 0}};

void page_register(struct forum *forum, const struct request *request, struct reply *reply)
{
    (void)forum;
    show_register(request, reply, &empty_form, NULL);
}

void page_log_in(struct forum *forum, const struct request *request, struct reply *reply)
{
    (void)forum;
    show_log_in(request, reply, &empty_form, NULL);
}

typedef struct outcome open_session(struct forum *forum, const struct account_form *form,
                                    struct token *ret_sid);
typedef void show_form(const struct request *request, struct reply *reply,
                       const struct account_form *form, const struct outcome *fault);

static void enter(struct forum *forum, const struct request *request, struct reply *reply,
                  open_session *open, show_form *show)
{
    struct form form;
    struct account_form fields;
    struct token sid;
    if (!page_form_read(request, reply, &form))
        return;
    form_find(&form, "username", &fields.username);
    form_find(&form, "password", &fields.password);
    form_find(&form, "name", &fields.name);
    struct outcome outcome = open(forum, &fields, &sid);
    if (outcome.kind == OUTCOME_DONE) {
        reply_see_other(reply, "/forum");
        cookie_set_sid(request, reply, &sid);
    } else if (page_form_takes(&outcome)) {
        show(request, reply, &fields, &outcome);
    } else {
        page_answer_outcome(request, reply, &outcome);
    }
    form_done(&form);
}

void page_register_send(struct forum *forum, const struct request *request, struct reply *reply)
{
    enter(forum, request, reply, account_register, show_register);
}

void page_log_in_send(struct forum *forum, const struct request *request, struct reply *reply)
{
    enter(forum, request, reply, account_log_in, show_log_in);
}

void page_log_out_send(struct forum *forum, const struct request *request, struct reply *reply)
{
    struct form form;
    if (!page_form_read_of_user(request, reply, &form))
        return;
    form_done(&form);
    struct outcome outcome = account_log_out(forum, &request->visitor);
    if (outcome.kind != OUTCOME_DONE) {
        page_answer_outcome(request, reply, &outcome);
        return;
    }
    reply_see_other(reply, "/forum");
    cookie_forget_sid(request, reply);
}
