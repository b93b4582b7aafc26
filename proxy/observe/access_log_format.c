#include "proxy/observe/access_log_format.h"

#include <string.h>
#include <time.h>

#include "proxy/core/decimal.h"
#include "proxy/observe/access_log_text.h"

/*
 * Texts are cut so that every line fits and stays valid JSON. All limits count bytes in the line,
 * and together with the numbers and names they stay below ACCESS_LOG_LINE_BYTES: nothing below asks
 * whether there is room.
 */
enum {
    PATH_MAX_BYTES = 1400,
    QUERY_MAX_BYTES = 600,
    ID_MAX_BYTES = 256,
    NAME_MAX_BYTES = 128,
    WORD_MAX_BYTES = 64,
    REST_MAX_BYTES = 600, /* names of the fields, numbers, punctuation */
};

_Static_assert(PATH_MAX_BYTES + QUERY_MAX_BYTES + TEXT_ESCAPED_MAX_BYTES + ID_MAX_BYTES +
                       6 * NAME_MAX_BYTES + 5 * WORD_MAX_BYTES + REST_MAX_BYTES <
                   ACCESS_LOG_LINE_BYTES,
               "a line has room for its texts");

/* Writes a literal, whose length is known here; where it ends. */
#define PUT(at, literal)                                                                           \
    ((char *)memcpy((at), "" literal, sizeof(literal) - 1) + sizeof(literal) - 1)

static char *put_path(char *at, const struct access_log_entry *entry)
{
    at = text_put_escaped(at, entry->path, PATH_MAX_BYTES);
    return entry->query.length > 0 ? text_put_query_names(at, entry->query, QUERY_MAX_BYTES) : at;
}

static char *put_seconds(char *at, uint64_t us)
{
    at = decimal_put(at, us / 1000000);
    *at = '.';
    return decimal_put_6(at + 1, (uint32_t)(us % 1000000));
}

static char *put_clock(char *at, const struct tm *parts)
{
    at = decimal_put_2(at, (uint32_t)parts->tm_hour);
    at = decimal_put_2(PUT(at, ":"), (uint32_t)parts->tm_min);
    return decimal_put_2(PUT(at, ":"), (uint32_t)parts->tm_sec);
}

/* RFC 3339 */
static char *put_json_second(char *at, const struct tm *parts)
{
    at = decimal_put(at, (uint32_t)parts->tm_year + 1900);
    at = decimal_put_2(PUT(at, "-"), (uint32_t)parts->tm_mon + 1);
    at = decimal_put_2(PUT(at, "-"), (uint32_t)parts->tm_mday);
    return PUT(put_clock(PUT(at, "T"), parts), ".");
}

static char *put_combined_second(char *at, const struct tm *parts)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    at = PUT(decimal_put_2(at, (uint32_t)parts->tm_mday), "/");
    memcpy(at, months + (size_t)parts->tm_mon * 3, 3);
    at = decimal_put(PUT(at + 3, "/"), (uint32_t)parts->tm_year + 1900);
    return put_clock(PUT(at, ":"), parts);
}

/* The milliseconds of `unix_ms` in its second, whose texts are made when they are not there yet. */
static uint32_t second_enter(struct access_log_second *second, uint64_t unix_ms)
{
    uint64_t left_ms = second->end_ms - unix_ms;
    if (left_ms - 1 < 1000)
        return (uint32_t)(1000 - left_ms);
    time_t unix_s = (time_t)(unix_ms / 1000);
    struct tm parts;
    gmtime_r(&unix_s, &parts);
    second->end_ms = ((uint64_t)unix_s + 1) * 1000;
    second->json_bytes = (uint32_t)(put_json_second(second->json, &parts) - second->json);
    second->combined_bytes =
        (uint32_t)(put_combined_second(second->combined, &parts) - second->combined);
    return (uint32_t)(unix_ms % 1000);
}

/* "2026-11-22T04:50:00.123Z" */
static char *put_json_time(struct access_log_second *second, char *at, uint64_t unix_ms)
{
    uint32_t ms = second_enter(second, unix_ms);
    memcpy(at, second->json, sizeof(second->json)); /* of a length that is known */
    at += second->json_bytes;
    *at = (char)('0' + ms / 100);
    return PUT(decimal_put_2(at + 1, ms % 100), "Z");
}

static char *put_request(char *at, const struct access_log_entry *entry)
{
    at = text_put_escaped(PUT(at, "\",\"request_id\":\""), entry->request_id, ID_MAX_BYTES);
    at = text_put_escaped(PUT(at, "\",\"trace_id\":\""), entry->trace_id, WORD_MAX_BYTES);
    at = text_put_escaped(PUT(at, "\",\"client\":\""), entry->client, NAME_MAX_BYTES);
    at = text_put_escaped(PUT(at, "\",\"protocol\":\""), entry->protocol, WORD_MAX_BYTES);
    at = text_put_escaped(PUT(at, "\",\"method\":\""), entry->method, WORD_MAX_BYTES);
    at = text_put_escaped(PUT(at, "\",\"authority\":\""), entry->authority, NAME_MAX_BYTES);
    return put_path(PUT(at, "\",\"path\":\""), entry);
}

static char *put_answer(char *at, const struct access_log_entry *entry)
{
    at = decimal_put(PUT(at, ",\"status\":"), (uint32_t)entry->status);
    at = decimal_put(PUT(at, ",\"bytes_received\":"), entry->bytes_received);
    at = decimal_put(PUT(at, ",\"bytes_sent\":"), entry->bytes_sent);
    at = put_seconds(PUT(at, ",\"duration_s\":"), entry->duration_us);
    return put_seconds(PUT(at, ",\"ttfb_s\":"), entry->first_byte_us);
}

static char *put_decision(char *at, const struct access_log_entry *entry)
{
    at = text_put_escaped(PUT(at, ",\"route\":\""), entry->route, NAME_MAX_BYTES);
    at = text_put_escaped(PUT(at, "\",\"module\":\""), entry->module, NAME_MAX_BYTES);
    at = text_put_escaped(PUT(at, "\",\"stage\":\""), entry->stage, WORD_MAX_BYTES);
    at = text_put_escaped(PUT(at, "\",\"side\":\""), entry->side, WORD_MAX_BYTES);
    at = text_put_escaped(PUT(at, "\",\"reason\":\""), entry->reason, NAME_MAX_BYTES);
    at = text_put_escaped(PUT(at, "\",\"endpoint\":\""), entry->endpoint, NAME_MAX_BYTES);
    at = decimal_put(PUT(at, "\",\"attempts\":"), entry->attempts);
    at = entry->shadow ? PUT(at, ",\"shadow\":true") : PUT(at, ",\"shadow\":false");
    return decimal_put(PUT(at, ",\"generation\":"), entry->generation);
}

static char *put_json(struct access_log_second *second, const struct access_log_entry *entry,
                      char *at)
{
    at = put_json_time(second, PUT(at, "{\"ts\":\""), entry->unix_ms);
    at = PUT(put_request(at, entry), "\"");
    at = put_answer(at, entry);
    return PUT(put_decision(at, entry), "}");
}

/* The format that every log tool knows; it has no room for the side and the reason. */
static char *put_combined(struct access_log_second *second, const struct access_log_entry *entry,
                          char *at)
{
    second_enter(second, entry->unix_ms);
    at = PUT(text_put_escaped(at, entry->client, NAME_MAX_BYTES), " - - [");
    memcpy(at, second->combined, sizeof(second->combined)); /* of a length that is known */
    at = PUT(at + second->combined_bytes, " +0000] \"");
    at = PUT(text_put_escaped(at, entry->method, WORD_MAX_BYTES), " ");
    at = PUT(put_path(at, entry), " ");
    at = PUT(text_put_escaped(at, entry->protocol, 16), "\" ");
    at = PUT(decimal_put(at, (uint32_t)entry->status), " ");
    return PUT(decimal_put(at, entry->bytes_sent), " \"-\" \"-\"");
}

size_t access_log_format_line(struct access_log_second *second, enum access_log_format format,
                              const struct access_log_entry *entry,
                              char line[static ACCESS_LOG_LINE_BYTES])
{
    char *end = line;
    switch (format) {
    case ACCESS_LOG_JSON:
        end = put_json(second, entry, line);
        break;
    case ACCESS_LOG_COMBINED:
        end = put_combined(second, entry, line);
        break;
    }
    *end++ = '\n';
    return (size_t)(end - line);
}
