#include "monolith_stub/pages/html.h"

#include <string.h>

#include "monolith_stub/json_write.h"

/* As text_append_time writes it: the date, a T, hours and minutes. */
enum { DATE_LENGTH = 10, MINUTES_AT = 11, MINUTES_LENGTH = 5, TIME_BYTES = 64 };

struct html_value html_string(const char *string)
{
    return html_view((struct text_view){string, strlen(string)});
}

struct html_value html_view(struct text_view view)
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
    const char *bytes = (const char *)sqlite3_column_text(row, column);
    if (bytes == NULL)
        return html_string("");
    return html_view((struct text_view){bytes, (size_t)sqlite3_column_bytes(row, column)});
}

struct html_value html_column_number(sqlite3_stmt *row, int column)
{
    return html_number(sqlite3_column_int64(row, column));
}

struct html_value html_column_time(sqlite3_stmt *row, int column)
{
    return html_time(sqlite3_column_int64(row, column));
}

void html_raw(struct text *out, const char *markup)
{
    text_append_string(out, markup);
}

static void append_time(struct text *out, int64_t time_ms)
{
    struct text room;
    text_init(&room, TIME_BYTES);
    text_append_time(&room, time_ms);
    if (room.length >= MINUTES_AT + MINUTES_LENGTH) {
        text_append_string(out, "<time datetime=\"");
        text_append(out, room.bytes, room.length);
        text_append_string(out, "\">");
        text_append(out, room.bytes, DATE_LENGTH);
        text_append_string(out, " ");
        text_append(out, room.bytes + MINUTES_AT, MINUTES_LENGTH);
        text_append_string(out, "</time>");
    }
    text_done(&room);
}

static void append_value(struct text *out, const struct html_value *value)
{
    switch (value->kind) {
    case HTML_TEXT:
        text_append_html(out, value->text.bytes, value->text.length);
        break;
    case HTML_NUMBER:
        text_append_integer(out, value->number);
        break;
    case HTML_TIME:
        append_time(out, value->number);
        break;
    }
}

void html_write(struct text *out, const char *markup, const struct html_value *values)
{
    const char *hole;
    while ((hole = strstr(markup, "{}")) != NULL) {
        text_append(out, markup, (size_t)(hole - markup));
        append_value(out, values++);
        markup = hole + 2;
    }
    text_append_string(out, markup);
}
