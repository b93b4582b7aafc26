/*
 * Forms of the forum's pages: what comes in, and how one is shown again with what was wrong. The
 * loop's thread.
 */
#ifndef SERVICE_KIT_PAGE_FORM_H
#define SERVICE_KIT_PAGE_FORM_H

#include "extracted/service_kit/form.h"
#include "extracted/service_kit/page.h"

/* Reads the body as a form and checks its CSRF word; the caller ends the form. False: the reply is
 * a page that says why not (415, 413, 400, 403). */
bool page_form_read(struct page *page, struct form *ret_form);

/* The same for people who are logged in only: others get a 401 page. */
bool page_form_read_of_user(struct page *page, struct form *ret_form);

/* Whether a value has as many characters as its field takes; a NUL is none. Done, or a fault of
 * that field. */
struct outcome page_form_check(const struct json_field *field, struct http_view value);

struct page_field {
    const char *name;
    const char *label;
    const char *type;         /* of an <input>; NULL: a <textarea> */
    const char *autocomplete; /* NULL: none */
    struct http_view value;
    int most; /* characters */
    bool is_optional;
};

struct page_fields {
    const char *button;
    const struct page_field *each;
    size_t count;
};

/* The whole <form>, with the CSRF field. `fault` is the outcome of what was sent before, or NULL;
 * its sentence stands at the field that it names. */
void page_form_add(struct page *page, const struct page_fields *fields,
                   const struct outcome *fault);

/* After page_end: the status of a form that is shown again. */
void page_form_set_status(struct page *page, const struct outcome *fault);

/* Whether the outcome is one to show in the form rather than on a page of its own. */
bool page_form_takes(const struct outcome *outcome);

#endif
