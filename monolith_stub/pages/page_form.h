/*
 * Forms: what comes in, and how one is shown again with what was wrong. Any thread.
 */
#ifndef MONOLITH_PAGE_FORM_H
#define MONOLITH_PAGE_FORM_H

#include "monolith_stub/input/form.h"
#include "monolith_stub/outcome.h"
#include "monolith_stub/reply.h"
#include "monolith_stub/request.h"

/* Reads the body as a form and checks its CSRF word; the caller owns the form. False: the reply
 * is a page that says why not. */
bool page_form_read(const struct request *request, struct reply *reply, struct form *ret_form);

/* The same for people who are logged in only: others get a 401 page. */
bool page_form_read_of_user(const struct request *request, struct reply *reply,
                            struct form *ret_form);

struct page_field {
    const char *name;
    const char *label;
    const char *type;         /* of an <input>; NULL: a <textarea> */
    const char *autocomplete; /* NULL: none */
    struct text_view value;
    int most; /* characters */
    bool is_optional;
};

/* The whole <form>, with the CSRF field. `fault` is the outcome of what was sent before, or
 * NULL; its sentence stands at the field that it names. */
void page_form(const struct request *request, struct reply *reply, const char *button,
               const struct page_field *fields, unsigned count, const struct outcome *fault);

/* The status of a form that is shown again. */
void page_form_set_status(struct reply *reply, const struct outcome *fault);

/* Whether the outcome is one to show in the form rather than on a page of its own. */
bool page_form_takes(const struct outcome *outcome);

#endif
