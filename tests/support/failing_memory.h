/*
 * Memory that fails once: of the allocations from now on in this thread, by whichever library, the
 * one of that number gets NULL. A program that is linked with this has these malloc, calloc and
 * realloc instead of the C library's; what they give still comes from there, or from a sanitizer.
 */
#ifndef TESTS_SUPPORT_FAILING_MEMORY_H
#define TESTS_SUPPORT_FAILING_MEMORY_H

#include <stdbool.h>

void failing_memory_begin(unsigned number); /* from 1 */

/* Nothing fails any more. False when there were not so many allocations, so none has failed. */
bool failing_memory_end(void);

#endif
