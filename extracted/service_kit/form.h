/*
 * Names and values as forms and queries send them (application/x-www-form-urlencoded), decoded.
 * Owner: whoever reads one; form_done ends it. Pure; any thread.
 */
#ifndef SERVICE_KIT_FORM_H
#define SERVICE_KIT_FORM_H

#include "extracted/service_kit/http_message.h"

enum {
    FORM_FIELDS = 32,
    FORM_BODY_LIMIT = 64 * 1024, /* bytes of a body that is a form */
};

struct form_field {
    struct http_view name; /* valid UTF-8, as the value */
    struct http_view value;
};

struct form {
    char *bytes; /* what the views show */
    size_t count;
    struct form_field fields[FORM_FIELDS];
};

/* Empty text is an empty form. False, and nothing to free: an escape that is none, bytes that are
 * no UTF-8, too many fields, or no memory. */
bool form_read(struct http_view encoded, struct form *ret_form);
void form_done(struct form *form);

/* The value of the first field of that name; empty if there is none. */
struct http_view form_value(const struct form *form, const char *name);

#endif
