/* What `explain` found out, in words for a person. Any thread. */
#ifndef EXPLAIN_EXPLAIN_PRINT_H
#define EXPLAIN_EXPLAIN_PRINT_H

#include <jansson.h>
#include <stdio.h>

/* `found` is an object that explain() made, here or in a proxy. */
void explain_print(const json_t *found, FILE *out);

#endif
