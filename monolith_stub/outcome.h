/*
 * How something that somebody wanted to do ended; each face of the forum words it its own way.
 * Plain values; strings are constants.
 */
#ifndef MONOLITH_OUTCOME_H
#define MONOLITH_OUTCOME_H

#include <stdint.h>

#include "monolith_stub/feeds/ownership.h"

enum outcome_kind {
    OUTCOME_DONE,
    OUTCOME_FIELD_FAULT,    /* 422: field, detail */
    OUTCOME_NOT_LOGGED_IN,  /* 401 */
    OUTCOME_WRONG_PASSWORD, /* 401 */
    OUTCOME_NOT_YOURS,      /* 403 */
    OUTCOME_FORGED,         /* 403: no CSRF word, or a foreign Origin */
    OUTCOME_NOT_FOUND,      /* 404 */
    OUTCOME_NOT_OWNER,      /* 409: ownership */
    OUTCOME_BROKEN,         /* 500, logged */
    OUTCOME_OUT_OF_REACH,   /* 503: somebody who would know did not answer */
};

struct outcome {
    enum outcome_kind kind;
    const char *field;
    const char *detail;
    struct ownership ownership;
    int64_t id; /* of what was made or changed */
};

/* The status, and in words what it means. */
unsigned outcome_status(enum outcome_kind kind);
const char *outcome_title(enum outcome_kind kind);
const char *outcome_detail(const struct outcome *outcome);

struct outcome outcome_of(enum outcome_kind kind);
struct outcome outcome_field_fault(const char *field, const char *detail);

#endif
