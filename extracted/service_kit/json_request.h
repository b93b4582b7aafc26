/*
 * What requests to the JSON API hold. Each function that fails has made the reply. The loop's
 * thread.
 */
#ifndef SERVICE_KIT_JSON_REQUEST_H
#define SERVICE_KIT_JSON_REQUEST_H

#include <jansson.h>

#include "extracted/service_kit/http_message.h"

enum {
    JSON_BODY_LIMIT = 64 * 1024,
    JSON_PAGE_ROWS = 20,
    JSON_IDS = 100,
};

/* The JSON object of a write. The caller owns it. NULL: the origin is foreign (403), the type is
 * not application/json (415), it is too large (413), or it is no JSON object in UTF-8 (400). */
json_t *json_request_read(const struct http_request *request, struct http_reply *reply);

/* For writes without a body: only where they come from. */
bool json_request_is_allowed(const struct http_request *request, struct http_reply *reply);

/* A text and how many characters it may have. */
struct json_field {
    const char *name;
    size_t least;
    size_t most;
    const char *wanted; /* a sentence for who sent something else */
};

/* Borrowed from the object. */
bool json_request_text(const json_t *object, const struct json_field *field,
                       struct http_reply *reply, struct http_view *ret_value);

/* A member that is a string, whatever is in it; borrowed from the object. */
bool json_request_string(const json_t *object, const char *name, struct http_reply *reply,
                         struct http_view *ret_value);

/* An id as a plain decimal number above 0; anything else is 404. */
bool json_request_id(const struct http_request *request, struct http_reply *reply, int64_t *ret_id);

/* page=N, from 1; 1 if it is not given. */
bool json_request_page(const struct http_request *request, struct http_reply *reply,
                       int64_t *ret_page);

struct json_ids {
    size_t count;
    int64_t each[JSON_IDS];
};

/* ids=1,2,3 */
bool json_request_ids(const struct http_request *request, struct http_reply *reply,
                      struct json_ids *ret_ids);

#endif
