/*
 * HTML from templates: each {} takes the next value and escapes it. What is not a value is a
 * constant of ours, so nothing that people wrote gets into a page unescaped. The loop's thread.
 */
#ifndef SERVICE_KIT_HTML_H
#define SERVICE_KIT_HTML_H

#include "extracted/service_kit/database.h"
#include "extracted/service_kit/http_message.h"

enum html_kind { HTML_TEXT, HTML_NUMBER, HTML_TIME };

struct html_value {
    enum html_kind kind;
    struct http_view text;
    int64_t number;
};

struct html_value html_string(const char *string);
struct html_value html_view(struct http_view view);
struct html_value html_number(int64_t number);
struct html_value html_time(int64_t time_ms); /* a <time> element for ms since 1970 */

/* Of a row; text stays until its next step. NULL is empty. */
struct html_value html_column(sqlite3_stmt *row, int column);
struct html_value html_column_number(sqlite3_stmt *row, int column);
struct html_value html_column_time(sqlite3_stmt *row, int column);

/* html_add(body, "<b>{}</b> {}", html_string(name), html_number(3)): as many values as there are
 * {} in the template, or the program ends. */
#define html_add(body, template, ...)                                                              \
    html_add_values((body), (template), (const struct html_value[]){__VA_ARGS__},                  \
                    sizeof((const struct html_value[]){__VA_ARGS__}) / sizeof(struct html_value))

void html_add_values(struct body_text *body, const char *template, const struct html_value *values,
                     size_t count);

/* A template without values. */
void html_add_constant(struct body_text *body, const char *markup);

#endif
