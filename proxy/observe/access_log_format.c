#include "proxy/observe/access_log_format.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>

/*
 * Texts are cut so that every line fits and stays valid JSON. All limits count bytes in the line,
 * and together with the numbers and names they stay below ACCESS_LOG_LINE_BYTES.
 */
enum {
    ESCAPED_MAX_BYTES = 6,
    PATH_MAX_BYTES = 1400,
    QUERY_MAX_BYTES = 600,
    ID_MAX_BYTES = 256,
    NAME_MAX_BYTES = 128,
    REST_MAX_BYTES = 800, /* names of the fields, numbers, punctuation */
};

_Static_assert(PATH_MAX_BYTES + QUERY_MAX_BYTES + ID_MAX_BYTES + 8 * NAME_MAX_BYTES +
                       REST_MAX_BYTES <
                   ACCESS_LOG_LINE_BYTES,
               "a line has room for its texts");

struct line {
    char *at;
    char *end;
};

static void put_raw(struct line *line, struct strview text)
{
    size_t room = (size_t)(line->end - line->at);
    size_t length = text.length < room ? text.length : room;
    if (length > 0)
        memcpy(line->at, text.data, length);
    line->at += length;
}

static void put_literal(struct line *line, const char *text)
{
    put_raw(line, strview_of(text));
}

static void put_format(struct line *line, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void put_format(struct line *line, const char *format, ...)
{
    char text[128];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    if (length > 0)
        put_raw(line, strview_make(text, (size_t)length < sizeof(text) ? (size_t)length
                                                                       : sizeof(text) - 1));
}

static void put_byte(struct line *line, char c)
{
    if (line->at < line->end)
        *line->at++ = c;
}

/*
 * JSON escapes (RFC 8259 section 7); bytes above ASCII as \u00XX, so that any input is valid. At
 * most `max` bytes are written: what counts is the space in the line.
 */
static void put_escaped(struct line *line, struct strview text, size_t max)
{
    static const char digits[] = "0123456789abcdef";
    char *end = (size_t)(line->end - line->at) < max ? line->end : line->at + max;
    for (size_t i = 0; i < text.length && end - line->at >= ESCAPED_MAX_BYTES; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (c == '"' || c == '\\') {
            *line->at++ = '\\';
            *line->at++ = (char)c;
        } else if (c < 0x20 || c >= 0x7f) {
            memcpy(line->at, "\\u00", 4);
            line->at[4] = digits[c >> 4];
            line->at[5] = digits[c & 15];
            line->at += 6;
        } else {
            *line->at++ = (char)c;
        }
    }
}

static void put_text(struct line *line, const char *name, struct strview value, size_t max)
{
    put_literal(line, ",\"");
    put_literal(line, name);
    put_literal(line, "\":\"");
    put_escaped(line, value, max);
    put_byte(line, '"');
}

/* "?page=...&sort=...": names tell what was asked, values may be secrets. */
static void put_query_names(struct line *line, struct strview query, size_t max)
{
    char *start = line->at;
    while (query.length > 0 && (size_t)(line->at - start) + ESCAPED_MAX_BYTES < max) {
        struct strview pair = strview_make(query.data, strview_find(query, '&'));
        size_t name = strview_find(pair, '=');
        put_escaped(line, strview_make(pair.data, name), max - (size_t)(line->at - start));
        if (name < pair.length)
            put_literal(line, "=...");
        if (pair.length < query.length)
            put_byte(line, '&');
        query = strview_from(query, pair.length < query.length ? pair.length + 1 : pair.length);
    }
}

static void put_path(struct line *line, const struct access_log_entry *entry)
{
    put_escaped(line, entry->path, PATH_MAX_BYTES);
    put_query_names(line, entry->query, QUERY_MAX_BYTES);
}

static void put_seconds(struct line *line, const char *name, uint64_t us)
{
    put_format(line, ",\"%s\":%llu.%06llu", name, (unsigned long long)(us / 1000000),
               (unsigned long long)(us % 1000000));
}

static void put_time(struct line *line, uint64_t unix_ms, const char *format)
{
    time_t seconds = (time_t)(unix_ms / 1000);
    struct tm parts;
    char text[40];
    gmtime_r(&seconds, &parts);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    size_t length = strftime(text, sizeof(text), format, &parts);
#pragma GCC diagnostic pop
    put_raw(line, strview_make(text, length));
}

static void format_json(struct line *line, const struct access_log_entry *entry)
{
    put_literal(line, "{\"ts\":\"");
    put_time(line, entry->unix_ms, "%Y-%m-%dT%H:%M:%S");
    put_format(line, ".%03uZ\"", (unsigned)(entry->unix_ms % 1000));
    put_text(line, "request_id", entry->request_id, ID_MAX_BYTES);
    put_text(line, "trace_id", entry->trace_id, 64);
    put_text(line, "client", entry->client, NAME_MAX_BYTES);
    put_text(line, "protocol", entry->protocol, 64);
    put_text(line, "method", entry->method, 64);
    put_text(line, "authority", entry->authority, NAME_MAX_BYTES);
    put_literal(line, ",\"path\":\"");
    put_path(line, entry);
    put_format(line, "\",\"status\":%d", entry->status);
    put_format(line, ",\"bytes_received\":%llu", (unsigned long long)entry->bytes_received);
    put_format(line, ",\"bytes_sent\":%llu", (unsigned long long)entry->bytes_sent);
    put_seconds(line, "duration_s", entry->duration_us);
    put_seconds(line, "ttfb_s", entry->first_byte_us);
    put_text(line, "route", entry->route, NAME_MAX_BYTES);
    put_text(line, "module", entry->module, NAME_MAX_BYTES);
    put_text(line, "stage", entry->stage, 64);
    put_text(line, "side", entry->side, 64);
    put_text(line, "reason", entry->reason, NAME_MAX_BYTES);
    put_text(line, "endpoint", entry->endpoint, NAME_MAX_BYTES);
    put_format(line, ",\"attempts\":%u,\"shadow\":%s,\"generation\":%llu}", entry->attempts,
               entry->shadow ? "true" : "false", (unsigned long long)entry->generation);
}

/* The format that every log tool knows; it has no room for the side and the reason. */
static void format_combined(struct line *line, const struct access_log_entry *entry)
{
    put_escaped(line, entry->client, NAME_MAX_BYTES);
    put_literal(line, " - - [");
    put_time(line, entry->unix_ms, "%d/%b/%Y:%H:%M:%S +0000");
    put_literal(line, "] \"");
    put_escaped(line, entry->method, 64);
    put_byte(line, ' ');
    put_path(line, entry);
    put_byte(line, ' ');
    put_escaped(line, entry->protocol, 16);
    put_format(line, "\" %d %llu \"-\" \"-\"", entry->status,
               (unsigned long long)entry->bytes_sent);
}

size_t access_log_format_line(enum access_log_format format, const struct access_log_entry *entry,
                              char text[static ACCESS_LOG_LINE_BYTES])
{
    struct line line = {text, text + ACCESS_LOG_LINE_BYTES - 1};
    switch (format) {
    case ACCESS_LOG_JSON:
        format_json(&line, entry);
        break;
    case ACCESS_LOG_COMBINED:
        format_combined(&line, entry);
        break;
    }
    *line.at++ = '\n';
    return (size_t)(line.at - text);
}
