/* Answers of the admin address as JSON, faults as problem details (RFC 9457). Control thread. */
#ifndef CONTROL_ADMIN_JSON_H
#define CONTROL_ADMIN_JSON_H

#include <jansson.h>

#include "proxy/control/admin_server.h"

/* Bytes that are no UTF-8 become null. */
json_t *json_text(struct strview text);

/* A threshold in buckets as percent, without needless decimals. */
json_t *json_percent(uint32_t threshold);

/* Unix time in RFC 3339, UTC; null for 0. */
json_t *json_time(uint64_t unix_ms);

/* Takes the body. */
void admin_reply_json_take(struct admin_request *request, int status, json_t *body);

/* The title is the status code's own. */
void admin_reply_problem(struct admin_request *request, int status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* With "did you mean": `suggestion` may be empty. */
void admin_reply_suggestion(struct admin_request *request, int status, struct strview suggestion,
                            const char *format, ...) __attribute__((format(printf, 4, 5)));

struct change_result;

/* An order that was not carried out, or not wholly. */
void admin_reply_outcome(struct admin_request *request, const struct change_result *result,
                         struct strview suggestion);

/* 405 with its Allow field. */
void admin_reply_not_allowed(struct admin_request *request, const char *allow);

#endif
