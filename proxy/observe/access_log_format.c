#include "proxy/observe/access_log_format.h"

#include <string.h>
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

/* `text` is a literal: its length is known here. */
#define PUT(line, text) put_raw(line, STRVIEW(text))

static void put_byte(struct line *line, char c)
{
    if (line->at < line->end)
        *line->at++ = c;
}

/* Decimal, with zeros in front up to `digits_min`. */
static void put_number(struct line *line, uint64_t value, size_t digits_min)
{
    char digits[20];
    char *at = digits + sizeof(digits);
    do {
        *--at = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0 || (size_t)(digits + sizeof(digits) - at) < digits_min);
    put_raw(line, strview_make(at, (size_t)(digits + sizeof(digits) - at)));
}

enum { WORD_BYTES = sizeof(uint64_t) };

/* `byte` in each byte of a word. */
#define WORD_OF(byte) (UINT64_MAX / 255 * (byte))

static uint64_t zero_bytes(uint64_t word)
{
    return (word - WORD_OF(1)) & ~word;
}

/* Is every one of eight bytes written as it is? */
static bool word_is_plain(uint64_t word)
{
    uint64_t special = ((word - WORD_OF(0x20)) & ~word) | zero_bytes(word ^ WORD_OF('"')) |
                       zero_bytes(word ^ WORD_OF('\\')) | zero_bytes(word ^ WORD_OF(0x7f)) | word;
    return (special & WORD_OF(0x80)) == 0;
}

/* Copies plain words, as long as so much room is left as single bytes would leave; how many bytes.
 */
static size_t put_plain_words(struct line *line, struct strview text, const char *end)
{
    size_t put = 0;
    while (text.length - put >= WORD_BYTES && end - line->at >= WORD_BYTES + ESCAPED_MAX_BYTES) {
        uint64_t word;
        memcpy(&word, text.data + put, sizeof(word));
        if (!word_is_plain(word))
            break;
        memcpy(line->at, &word, sizeof(word));
        line->at += sizeof(word);
        put += sizeof(word);
    }
    return put;
}

static void put_escaped_byte(struct line *line, unsigned char c)
{
    static const char digits[] = "0123456789abcdef";
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

/*
 * JSON escapes (RFC 8259 section 7); bytes above ASCII as \u00XX, so that any input is valid. At
 * most `max` bytes are written: what counts is the space in the line.
 */
static void put_escaped(struct line *line, struct strview text, size_t max)
{
    const char *end = (size_t)(line->end - line->at) < max ? line->end : line->at + max;
    size_t next_words = 0;
    for (size_t i = 0; i < text.length && end - line->at >= ESCAPED_MAX_BYTES;) {
        if (i >= next_words) {
            i += put_plain_words(line, strview_from(text, i), end);
            next_words = i + WORD_BYTES;
        } else {
            put_escaped_byte(line, (unsigned char)text.data[i++]);
        }
    }
}

#define PUT_TEXT(line, name, value, max) put_text(line, STRVIEW(",\"" name "\":\""), value, max)

static void put_text(struct line *line, struct strview before, struct strview value, size_t max)
{
    put_raw(line, before);
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
            PUT(line, "=...");
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

static void put_seconds(struct line *line, struct strview before, uint64_t us)
{
    put_raw(line, before);
    put_number(line, us / 1000000, 1);
    put_byte(line, '.');
    put_number(line, us % 1000000, 6);
}

static struct tm time_parts(uint64_t unix_ms)
{
    time_t seconds = (time_t)(unix_ms / 1000);
    struct tm parts;
    gmtime_r(&seconds, &parts);
    return parts;
}

static void put_clock(struct line *line, const struct tm *parts)
{
    put_number(line, (unsigned)parts->tm_hour, 2);
    put_byte(line, ':');
    put_number(line, (unsigned)parts->tm_min, 2);
    put_byte(line, ':');
    put_number(line, (unsigned)parts->tm_sec, 2);
}

/* RFC 3339, with milliseconds. */
static void put_time(struct line *line, uint64_t unix_ms)
{
    struct tm parts = time_parts(unix_ms);
    put_number(line, (unsigned)parts.tm_year + 1900, 4);
    put_byte(line, '-');
    put_number(line, (unsigned)parts.tm_mon + 1, 2);
    put_byte(line, '-');
    put_number(line, (unsigned)parts.tm_mday, 2);
    put_byte(line, 'T');
    put_clock(line, &parts);
    put_byte(line, '.');
    put_number(line, unix_ms % 1000, 3);
    put_byte(line, 'Z');
}

/* 22/Nov/2026:04:50:00 +0000 */
static void put_combined_time(struct line *line, uint64_t unix_ms)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    struct tm parts = time_parts(unix_ms);
    put_number(line, (unsigned)parts.tm_mday, 2);
    put_byte(line, '/');
    put_raw(line, strview_make(months + (size_t)parts.tm_mon * 3, 3));
    put_byte(line, '/');
    put_number(line, (unsigned)parts.tm_year + 1900, 4);
    put_byte(line, ':');
    put_clock(line, &parts);
    PUT(line, " +0000");
}

static void format_json(struct line *line, const struct access_log_entry *entry)
{
    PUT(line, "{\"ts\":\"");
    put_time(line, entry->unix_ms);
    put_byte(line, '"');
    PUT_TEXT(line, "request_id", entry->request_id, ID_MAX_BYTES);
    PUT_TEXT(line, "trace_id", entry->trace_id, 64);
    PUT_TEXT(line, "client", entry->client, NAME_MAX_BYTES);
    PUT_TEXT(line, "protocol", entry->protocol, 64);
    PUT_TEXT(line, "method", entry->method, 64);
    PUT_TEXT(line, "authority", entry->authority, NAME_MAX_BYTES);
    PUT(line, ",\"path\":\"");
    put_path(line, entry);
    PUT(line, "\",\"status\":");
    put_number(line, (unsigned)entry->status, 1);
    PUT(line, ",\"bytes_received\":");
    put_number(line, entry->bytes_received, 1);
    PUT(line, ",\"bytes_sent\":");
    put_number(line, entry->bytes_sent, 1);
    put_seconds(line, STRVIEW(",\"duration_s\":"), entry->duration_us);
    put_seconds(line, STRVIEW(",\"ttfb_s\":"), entry->first_byte_us);
    PUT_TEXT(line, "route", entry->route, NAME_MAX_BYTES);
    PUT_TEXT(line, "module", entry->module, NAME_MAX_BYTES);
    PUT_TEXT(line, "stage", entry->stage, 64);
    PUT_TEXT(line, "side", entry->side, 64);
    PUT_TEXT(line, "reason", entry->reason, NAME_MAX_BYTES);
    PUT_TEXT(line, "endpoint", entry->endpoint, NAME_MAX_BYTES);
    PUT(line, ",\"attempts\":");
    put_number(line, entry->attempts, 1);
    put_raw(line, entry->shadow ? STRVIEW(",\"shadow\":true,\"generation\":")
                                : STRVIEW(",\"shadow\":false,\"generation\":"));
    put_number(line, entry->generation, 1);
    put_byte(line, '}');
}

/* The format that every log tool knows; it has no room for the side and the reason. */
static void format_combined(struct line *line, const struct access_log_entry *entry)
{
    put_escaped(line, entry->client, NAME_MAX_BYTES);
    PUT(line, " - - [");
    put_combined_time(line, entry->unix_ms);
    PUT(line, "] \"");
    put_escaped(line, entry->method, 64);
    put_byte(line, ' ');
    put_path(line, entry);
    put_byte(line, ' ');
    put_escaped(line, entry->protocol, 16);
    PUT(line, "\" ");
    put_number(line, (unsigned)entry->status, 1);
    put_byte(line, ' ');
    put_number(line, entry->bytes_sent, 1);
    PUT(line, " \"-\" \"-\"");
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
