/* How what was found is put into lines. Internal; any thread. */
#ifndef EXPLAIN_EXPLAIN_WORDS_H
#define EXPLAIN_EXPLAIN_WORDS_H

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

/* "" for what is not there or no text: the object may come from another version. */
const char *explain_text(const json_t *object, const char *key);

/* A label and a text whose control bytes become `?`: it may come from a stranger. */
void explain_line(FILE *out, const char *label, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* explain_live.c: nothing for what the files alone explained. */
void explain_print_live(const json_t *found, FILE *out);

#endif
