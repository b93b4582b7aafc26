/*
 * Names and values as forms and queries send them (application/x-www-form-urlencoded). Decoded
 * into memory of its own. Pure; any thread.
 */
#ifndef MONOLITH_FORM_H
#define MONOLITH_FORM_H

#include "monolith_stub/text.h"

enum { FORM_FIELD_LIMIT = 32 };

struct form {
    struct text bytes;
    unsigned count;
    struct {
        struct text_view name;
        struct text_view value;
    } fields[FORM_FIELD_LIMIT];
};

/* Decodes. False, and nothing to free: an escape that is none, bytes that are no UTF-8, too many
 * fields, or no memory. An empty text is an empty form. */
bool form_read(struct text_view encoded, struct form *ret_form);
void form_done(struct form *form);

/* The first field of that name. False: there is none; *ret_value is then empty. */
bool form_find(const struct form *form, const char *name, struct text_view *ret_value);

#endif
