/*
 * What a person sees: colours only where a terminal shows them (NO_COLOR is obeyed), and no byte of
 * foreign text that could act on it. One thread.
 */
#ifndef CLI_TERMINAL_H
#define CLI_TERMINAL_H

#include <stdbool.h>
#include <stdio.h>

enum colour { COLOUR_NONE, COLOUR_DIM, COLOUR_BOLD, COLOUR_GREEN, COLOUR_YELLOW, COLOUR_RED };

/* Looks at standard output and the environment; before anything is printed. */
void terminal_init(void);

bool terminal_is_interactive(void);

/* "\033[31m", or "" without colours. */
const char *terminal_begin(enum colour colour);
const char *terminal_end(void);

/* Columns that the text takes: bytes of UTF-8 that begin a character. */
size_t terminal_width(const char *text);

/* Control bytes become `?`. NULL is the empty text. */
void terminal_print(FILE *out, const char *text);

#endif
