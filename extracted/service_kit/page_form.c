#include "extracted/service_kit/page_form.h"

#include <string.h>

#include "extracted/service_kit/utf8.h"

static bool refuse(struct page *page, unsigned status)
{
    page_reply_status(page, status);
    return false;
}

static bool refuse_outcome(struct page *page, enum outcome_kind kind)
{
    struct outcome outcome = outcome_of(kind);
    page_reply_outcome(page, &outcome);
    return false;
}

bool page_form_read(struct page *page, struct form *ret_form)
{
    const struct http_request *request = page->request;
    if (!http_media_type_is(request->content_type, "application/x-www-form-urlencoded"))
        return refuse(page, 415);
    if (request->body_is_too_large)
        return refuse(page, 413);
    if (!form_read(request->body, ret_form))
        return refuse(page, 400);
    if (token_csrf_fits(&page->visitor.token, form_value(ret_form, "csrf")))
        return true;
    form_done(ret_form);
    return refuse_outcome(page, OUTCOME_FORGED);
}

bool page_form_read_of_user(struct page *page, struct form *ret_form)
{
    if (page->visitor.user == 0)
        return refuse_outcome(page, OUTCOME_NOT_LOGGED_IN);
    return page_form_read(page, ret_form);
}

struct outcome page_form_check(const struct json_field *field, struct http_view value)
{
    size_t count = utf8_count(value.bytes, value.length);
    bool is_good = count >= field->least && count <= field->most &&
                   memchr(value.bytes, 0, value.length) == NULL;
    return is_good ? outcome_of(OUTCOME_DONE) : outcome_field_fault(field->name, field->wanted);
}

static bool is_named(const struct outcome *fault, const struct page_field *field)
{
    return fault != NULL && fault->field != NULL && strcmp(fault->field, field->name) == 0;
}

static void add_fault(struct body_text *body, const struct outcome *fault)
{
    struct body_text detail;
    body_text_init(&detail, HTTP_REPLY_LIMIT);
    outcome_add_detail(&detail, fault);
    html_add(body, "{}</p>\n", html_view((struct http_view){detail.bytes, detail.length}));
    body_text_done(&detail);
}

static void add_attributes(struct body_text *body, const struct page_field *field, bool is_wrong)
{
    struct html_value name = html_string(field->name);
    html_add(body, " id=\"{}\" name=\"{}\"", name, name);
    if (field->autocomplete != NULL)
        html_add(body, " autocomplete=\"{}\"", html_string(field->autocomplete));
    html_add(body, " maxlength=\"{}\"", html_number(field->most));
    if (!field->is_optional)
        html_add_constant(body, " required");
    if (is_wrong)
        html_add(body, " aria-invalid=\"true\" aria-describedby=\"{}-fault\"", name);
}

/* A newline right after <textarea> is not part of its value: one of ours keeps a first one of
 * theirs. */
static void add_field(struct body_text *body, const struct page_field *field,
                      const struct outcome *fault)
{
    bool is_wrong = is_named(fault, field);
    struct html_value name = html_string(field->name);
    html_add(body, "<label for=\"{}\">{}</label>\n", name, html_string(field->label));
    if (is_wrong) {
        html_add(body, "<p class=\"fault\" id=\"{}-fault\">", name);
        add_fault(body, fault);
    }
    if (field->type != NULL) {
        html_add(body, "<input type=\"{}\"", html_string(field->type));
        add_attributes(body, field, is_wrong);
        html_add(body, " value=\"{}\">\n", html_view(field->value));
    } else {
        html_add_constant(body, "<textarea rows=\"6\"");
        add_attributes(body, field, is_wrong);
        html_add(body, ">\n{}</textarea>\n", html_view(field->value));
    }
}

void page_form_add(struct page *page, const struct page_fields *fields, const struct outcome *fault)
{
    struct body_text *body = page->body;
    html_add_constant(body, "<form class=\"main\" method=\"post\">\n");
    page_csrf_field(page);
    html_add_constant(body, "\n");
    if (fault != NULL && fault->field == NULL) {
        html_add_constant(body, "<p class=\"fault\" role=\"alert\">");
        add_fault(body, fault);
    }
    for (size_t i = 0; i < fields->count; i++)
        add_field(body, &fields->each[i], fault);
    html_add(body, "<button>{}</button>\n</form>\n", html_string(fields->button));
}

void page_form_set_status(struct page *page, const struct outcome *fault)
{
    if (fault != NULL)
        page->reply->status = outcome_status(fault);
}

bool page_form_takes(const struct outcome *outcome)
{
    return outcome->kind == OUTCOME_FIELD_FAULT || outcome->kind == OUTCOME_WRONG_PASSWORD;
}
