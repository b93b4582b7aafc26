/*
 * How something that somebody wanted to do ended. The JSON API words it as a problem, the forum's
 * pages as a page. Plain values; strings are constants.
 */
#ifndef SERVICE_KIT_OUTCOME_H
#define SERVICE_KIT_OUTCOME_H

#include "extracted/service_kit/body_text.h"
#include "extracted/service_kit/ownership.h"

enum outcome_kind {
    OUTCOME_DONE,
    OUTCOME_FIELD_FAULT,    /* 422: field, detail */
    OUTCOME_NOT_LOGGED_IN,  /* 401 */
    OUTCOME_WRONG_PASSWORD, /* 401 */
    OUTCOME_NOT_YOURS,      /* 403 */
    OUTCOME_FORGED,         /* 403: no CSRF word, or a foreign Origin */
    OUTCOME_NOT_FOUND,      /* 404 */
    OUTCOME_NOT_OWNER,      /* 409: aggregate, ownership */
    OUTCOME_BROKEN,         /* 500, logged */
    OUTCOME_OUT_OF_REACH,   /* 503: somebody who would know did not answer */
};

struct outcome {
    enum outcome_kind kind;
    const char *field;
    const char *detail; /* NULL: what the kind says of itself */
    const char *aggregate;
    struct ownership ownership;
    int64_t id; /* of what was made or changed */
};

struct outcome outcome_of(enum outcome_kind kind);
struct outcome outcome_field_fault(const char *field, const char *detail);

unsigned outcome_status(const struct outcome *outcome);
const char *outcome_title(const struct outcome *outcome);

/* The sentence that says what is the matter. */
void outcome_add_detail(struct body_text *out, const struct outcome *outcome);

#endif
