/* Two answers, compared, with what differs as one line of text. */
#ifndef TESTS_COMPARE_SUPPORT_H
#define TESTS_COMPARE_SUPPORT_H

#include "proxy/compare/comparison.h"

/* "equal", "not comparable: why", or "kind field; kind field". Valid until the next call. */
const char *compared(const struct compare_rules *rules, const char *type, const char *first,
                     const char *second);

/* The same for whole answers. */
const char *compared_answers(const struct compare_rules *rules, const struct compared_answer *first,
                             const struct compared_answer *second);

/* With "content-type: type" when that is not NULL; header memory is kept. */
struct compared_answer answer_of(int status, const char *type, struct strview body);

/* Adds a header field to an answer of answer_of. */
void answer_add(struct compared_answer *answer, const char *name, const char *value);

/* Rules with these patterns of places, which end with NULL; a faulty one fails the test. */
struct compare_rules rules_with(const char *const *ignore, const char *const *unordered);

/* Frees everything; at the end of each test. */
void compare_support_done(void);

#endif
