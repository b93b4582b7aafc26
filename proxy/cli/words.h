/* Values of answers in the words that people read. Pure, but for the time zone. */
#ifndef CLI_WORDS_H
#define CLI_WORDS_H

#include <jansson.h>

enum { WORDS_TIME_BYTES = 64, WORDS_NOTE_BYTES = 1024 };

/* "2026-11-22T09:00:01.250Z" as "2026-11-22 10:00:01", local; other texts as they are. */
void words_time(const char *text, char ret_text[static WORDS_TIME_BYTES]);

enum { WORDS_VALUE_BYTES = 64 };

/* A text, a number, a flag as "yes" or "no", a time; "none" for null. */
void words_value(const json_t *value, char ret_text[static WORDS_VALUE_BYTES]);

/* Who, when and why: "by alice at 2026-11-22 10:00:01: why". */
void words_note(const json_t *note, char ret_text[static WORDS_NOTE_BYTES]);

#endif
