#include "extracted/service_kit/html.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct html_value html_string(const char *string)
{
    return html_view((struct http_view){string, strlen(string)});
}

struct html_value html_view(struct http_view view)
{
    return (struct html_value){.kind = HTML_TEXT, .text = view};
}

struct html_value html_number(int64_t number)
{
    return (struct html_value){.kind = HTML_NUMBER, .number = number};
}

struct html_value html_time(int64_t time_ms)
{
    return (struct html_value){.kind = HTML_TIME, .number = time_ms};
}

struct html_value html_column(sqlite3_stmt *row, int column)
{
    struct http_view view;
    view.bytes = database_text(row, column, &view.length);
    return html_view(view);
}

struct html_value html_column_number(sqlite3_stmt *row, int column)
{
    return html_number(sqlite3_column_int64(row, column));
}

struct html_value html_column_time(sqlite3_stmt *row, int column)
{
    return html_time(sqlite3_column_int64(row, column));
}

static const char *reference_for(char byte)
{
    switch (byte) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return NULL;
    }
}

static void add_escaped(struct body_text *body, struct http_view text)
{
    size_t plain = 0; /* where the bytes begin that need nothing */
    for (size_t i = 0; i < text.length; i++) {
        const char *reference = reference_for(text.bytes[i]);
        if (reference == NULL)
            continue;
        body_text_add(body, text.bytes + plain, i - plain);
        body_text_add_string(body, reference);
        plain = i + 1;
    }
    body_text_add(body, text.bytes + plain, text.length - plain);
}

static void add_number(struct body_text *body, int64_t number)
{
    char digits[24];
    int length = snprintf(digits, sizeof(digits), "%" PRId64, number);
    body_text_add(body, digits, (size_t)length);
}

static void add_time(struct body_text *body, int64_t time_ms)
{
    char element[128];
    struct tm parts;
    time_t seconds = (time_t)(time_ms / 1000);
    if (gmtime_r(&seconds, &parts) == NULL)
        return;
    size_t length = strftime(element, sizeof(element),
                             "<time datetime=\"%Y-%m-%dT%H:%M:%SZ\">%Y-%m-%d %H:%M</time>", &parts);
    body_text_add(body, element, length);
}

static void add_value(struct body_text *body, const struct html_value *value)
{
    switch (value->kind) {
    case HTML_TEXT:
        add_escaped(body, value->text);
        break;
    case HTML_NUMBER:
        add_number(body, value->number);
        break;
    case HTML_TIME:
        add_time(body, value->number);
        break;
    }
}

/* A template and its values are written side by side; that they do not match is a fault of ours
 * that no page may hide. */
static void require(bool holds, const char *template)
{
    if (holds)
        return;
    fprintf(stderr, "html: another number of values than the template has: %s\n", template);
    abort();
}

void html_add_values(struct body_text *body, const char *template, const struct html_value *values,
                     size_t count)
{
    const char *at = template;
    const char *hole;
    size_t used = 0;
    while ((hole = strstr(at, "{}")) != NULL) {
        require(used < count, template);
        body_text_add(body, at, (size_t)(hole - at));
        add_value(body, &values[used++]);
        at = hole + 2;
    }
    require(used == count, template);
    body_text_add_string(body, at);
}

void html_add_constant(struct body_text *body, const char *markup)
{
    html_add_values(body, markup, NULL, 0);
}
