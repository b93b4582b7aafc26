/*
 * HTML from templates: every {} takes the next value, escaped. What is not a value is a constant
 * of ours, so that nothing that people wrote gets into a page unescaped. Any thread.
 */
#ifndef MONOLITH_HTML_H
#define MONOLITH_HTML_H

#include <sqlite3.h>

#include "monolith_stub/text.h"

struct html_value {
    enum { HTML_TEXT, HTML_NUMBER, HTML_TIME } kind;
    struct text_view text;
    int64_t number;
};

struct html_value html_string(const char *string);
struct html_value html_view(struct text_view view);
struct html_value html_number(int64_t number);

/* A <time> element for ms since 1970. */
struct html_value html_time(int64_t time_ms);

/* Of a row; text stays until its next step. NULL is empty. */
struct html_value html_column(sqlite3_stmt *row, int column);
struct html_value html_column_number(sqlite3_stmt *row, int column);
struct html_value html_column_time(sqlite3_stmt *row, int column);

/* A template without values. */
void html_raw(struct text *out, const char *markup);

/* html(out, "<b>{}</b> {}", html_string(name), html_number(3)) */
#define html(out, markup, ...) html_write((out), (markup), (const struct html_value[]){__VA_ARGS__})
void html_write(struct text *out, const char *markup, const struct html_value *values);

#endif
