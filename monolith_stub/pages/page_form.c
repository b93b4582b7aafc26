#include "monolith_stub/pages/page_form.h"

#include <string.h>

#include "monolith_stub/input/json_body.h"
#include "monolith_stub/pages/html.h"
#include "monolith_stub/pages/page.h"

bool page_form_read(const struct request *request, struct reply *reply, struct form *ret_form)
{
    struct text_view csrf;
    if (!content_type_is(request->content_type, "application/x-www-form-urlencoded")) {
        page_answer_status(request, reply, 415);
        return false;
    }
    if (request->body_is_too_large) {
        page_answer_status(request, reply, 413);
        return false;
    }
    if (!form_read(request->body, ret_form)) {
        page_answer_status(request, reply, 400);
        return false;
    }
    form_find(ret_form, "csrf", &csrf);
    if (token_csrf_fits(visitor_token(&request->visitor), csrf.bytes, csrf.length))
        return true;
    form_done(ret_form);
    struct outcome forged = outcome_of(OUTCOME_FORGED);
    page_answer_outcome(request, reply, &forged);
    return false;
}

bool page_form_read_of_user(const struct request *request, struct reply *reply,
                            struct form *ret_form)
{
    if (request->visitor.user != 0)
        return page_form_read(request, reply, ret_form);
    struct outcome outcome = visitor_refusal(&request->visitor);
    page_answer_outcome(request, reply, &outcome);
    return false;
}

static bool is_named(const struct outcome *fault, const struct page_field *field)
{
    return fault != NULL && fault->field != NULL && strcmp(fault->field, field->name) == 0;
}

static void append_attributes(struct text *out, const struct page_field *field, bool is_wrong)
{
    struct html_value name = html_string(field->name);
    html(out, " id=\"{}\" name=\"{}\"", name, name);
    if (field->autocomplete != NULL)
        html(out, " autocomplete=\"{}\"", html_string(field->autocomplete));
    html(out, " maxlength=\"{}\"", html_number(field->most));
    if (!field->is_optional)
        html_raw(out, " required");
    if (is_wrong)
        html(out, " aria-invalid=\"true\" aria-describedby=\"{}-fault\"", name);
}

/* A newline right after <textarea> is not part of its value: one of ours keeps a first one of
 * theirs. */
static void append_field(struct text *out, const struct page_field *field,
                         const struct outcome *fault)
{
    bool is_wrong = is_named(fault, field);
    struct html_value name = html_string(field->name);
    html(out, "<label for=\"{}\">{}</label>\n", name, html_string(field->label));
    if (is_wrong)
        html(out, "<p class=\"fault\" id=\"{}-fault\">{}</p>\n", name,
             html_string(outcome_detail(fault)));
    if (field->type != NULL) {
        html(out, "<input type=\"{}\"", html_string(field->type));
        append_attributes(out, field, is_wrong);
        html(out, " value=\"{}\">\n", html_view(field->value));
    } else {
        html_raw(out, "<textarea rows=\"6\"");
        append_attributes(out, field, is_wrong);
        html(out, ">\n{}</textarea>\n", html_view(field->value));
    }
}

void page_form(const struct request *request, struct reply *reply, const char *button,
               const struct page_field *fields, unsigned count, const struct outcome *fault)
{
    struct text *out = &reply->body;
    html_raw(out, "<form class=\"main\" method=\"post\">\n");
    page_csrf_field(request, reply);
    html_raw(out, "\n");
    if (fault != NULL && fault->field == NULL)
        html(out, "<p class=\"fault\" role=\"alert\">{}</p>\n", html_string(outcome_detail(fault)));
    for (unsigned i = 0; i < count; i++)
        append_field(out, &fields[i], fault);
    html(out, "<button>{}</button>\n</form>\n", html_string(button));
}

void page_form_set_status(struct reply *reply, const struct outcome *fault)
{
    if (fault != NULL)
        reply->status = outcome_status(fault->kind);
}

bool page_form_takes(const struct outcome *outcome)
{
    return outcome->kind == OUTCOME_FIELD_FAULT || outcome->kind == OUTCOME_WRONG_PASSWORD;
}
