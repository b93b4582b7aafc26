/*
 * Numbers as decimal text, for where a call of printf would be felt: what is written for every
 * request. No terminator. Pure functions, any thread.
 */
#ifndef CORE_DECIMAL_H
#define CORE_DECIMAL_H

#include <stdint.h>

enum { DECIMAL_MAX_BYTES = 20 };

/* Writes `value` (at most DECIMAL_MAX_BYTES). Returns where its text ends. */
char *decimal_put(char *at, uint64_t value);

/* Writes exactly so many digits, with zeros in front: two of a value below 100, six of one below a
 * million. Return where the text ends. */
char *decimal_put_2(char *at, uint32_t value);
char *decimal_put_6(char *at, uint32_t value);

#endif
