/*
 * The JSON object in a request's body. Any thread.
 */
#ifndef MONOLITH_JSON_BODY_H
#define MONOLITH_JSON_BODY_H

#include <jansson.h>

#include "monolith_stub/reply.h"
#include "monolith_stub/request.h"

/* Checks where the request comes from, its type and its size, and parses it. The caller owns the
 * object (json_decref). NULL: the reply says what is wrong. */
json_t *json_body_read(const struct request *request, struct reply *reply);

/* For writes without a body: only where the request comes from. False: the reply says it. */
bool json_write_is_allowed(const struct request *request, struct reply *reply);

/* A member that is a string, borrowed from the object. False: it is missing or no string; then,
 * with a reply, a 422 that names it. */
bool json_body_string(const json_t *object, const char *name, struct reply *reply,
                      struct text_view *ret_value);

/* Whether an Origin is the host that was asked (RFC 6454 section 7). Pure. */
bool origin_fits(const char *origin, const char *host);

/* Whether a Content-Type is this media type, whatever its parameters. Pure. */
bool content_type_is(const char *content_type, const char *media_type);

#endif
