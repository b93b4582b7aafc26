/*
 * Faults as application/problem+json (RFC 9457). Any thread.
 */
#ifndef MONOLITH_PROBLEM_H
#define MONOLITH_PROBLEM_H

#include "monolith_stub/outcome.h"
#include "monolith_stub/reply.h"

/* Replaces what the body holds. detail and field may be NULL. */
void problem_answer(struct reply *reply, unsigned status, const char *title, const char *detail,
                    const char *field);

/* With the status's usual title and nothing else. */
void problem_answer_status(struct reply *reply, unsigned status);

/* For an outcome other than OUTCOME_DONE. */
void problem_answer_outcome(struct reply *reply, const struct outcome *outcome);

#endif
