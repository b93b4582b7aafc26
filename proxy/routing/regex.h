/*
 * PCRE2 with the limits that make it safe beside strangers: bounded matching, depth and heap; JIT
 * where the machine has it; no UTF mode, so that any bytes may be searched. An expression is
 * immutable and shared; what a match writes lies in the thread's match_scratch.
 */
#ifndef ROUTING_REGEX_H
#define ROUTING_REGEX_H

#include "proxy/core/strview.h"

struct route_regex;
struct match_scratch;

enum {
    REGEX_PATTERN_BYTES_MAX = 4096,
    REGEX_GROUPS_MAX = 31,
    REGEX_SUBJECT_BYTES_MAX = 64 * 1024,
    REGEX_MATCH_LIMIT = 100000,
    REGEX_DEPTH_LIMIT = 1000,
    REGEX_HEAP_KIB = 256,
    REGEX_JIT_STACK_BYTES = 256 * 1024,
    REGEX_FAULT_BYTES = 128,
};

/* What a test of a request may say. LIMIT: it could not be decided within the bounds. */
enum match_result { MATCH_NO, MATCH_YES, MATCH_LIMIT };

struct regex_fault {
    size_t offset; /* in the pattern */
    char text[REGEX_FAULT_BYTES];
};

/* NULL with *ret_fault set when the pattern is malformed or too large. Free with regex_free. */
struct route_regex *regex_new(struct strview pattern, bool ignore_case,
                              struct regex_fault *ret_fault);
void regex_free(struct route_regex *regex); /* NULL is allowed */

/* Is there a match anywhere in `subject`? No allocation. */
enum match_result regex_search(const struct route_regex *regex, struct strview subject,
                               struct match_scratch *scratch);

/*
 * Group `number` of the match that regex_search found last with this scratch; empty when the group
 * took no part. Group 0 is the whole match.
 */
struct strview regex_group(const struct match_scratch *scratch, struct strview subject,
                           uint32_t number);

/* The number of groups, without group 0. */
uint32_t regex_group_count(const struct route_regex *regex);

/* The number of the group called `name`, or -1. */
int regex_group_number(const struct route_regex *regex, struct strview name);

#endif
