/*
 * Lines of the access log from texts that strangers choose: one line of printable ASCII each, valid
 * JSON where that is asked for, and the same line whatever stands in the values of the query.
 */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>

#include "proxy/core/check.h"
#include "proxy/observe/access_log_format.h"

/* Cuts the next text from the input: a byte of length, times eight, and so many bytes. */
static struct strview take_text(struct strview *input)
{
    if (input->length == 0)
        return STRVIEW_NONE;
    size_t length = (unsigned char)input->data[0] * (size_t)8;
    *input = strview_from(*input, 1);
    if (length > input->length)
        length = input->length;
    struct strview text = strview_make(input->data, length);
    *input = strview_from(*input, length);
    return text;
}

static uint64_t take_number(struct strview *input)
{
    uint64_t number = 0;
    size_t length = input->length < sizeof(number) ? input->length : sizeof(number);
    if (length > 0)
        memcpy(&number, input->data, length);
    *input = strview_from(*input, length);
    return number;
}

static void check_line(const char *line, size_t length)
{
    CHECK(length > 0 && length <= ACCESS_LOG_LINE_BYTES && line[length - 1] == '\n');
    for (size_t i = 0; i < length - 1; i++)
        CHECK(line[i] >= 0x20 && line[i] < 0x7f);
}

static bool byte_is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* Behind the closing quote of a JSON string that begins at `at`. */
static const char *check_string(const char *at)
{
    CHECK(*at++ == '"');
    while (*at != '"') {
        CHECK((unsigned char)*at >= 0x20);
        if (*at++ != '\\')
            continue;
        CHECK(*at != '\0' && strchr("\"\\/bfnrtu", *at) != NULL);
        if (*at++ == 'u') {
            for (int i = 0; i < 4; i++)
                CHECK(byte_is_hex(*at++));
        }
    }
    return at + 1;
}

static const char *check_number(const char *at)
{
    const char *begin = *at == '-' ? ++at : at;
    while (*at >= '0' && *at <= '9')
        at++;
    CHECK(at > begin && (*begin != '0' || at == begin + 1));
    if (*at == '.') {
        begin = ++at;
        while (*at >= '0' && *at <= '9')
            at++;
        CHECK(at > begin);
    }
    return at;
}

/* One object of strings, numbers and `false` (RFC 8259), and nothing behind it but the newline. */
static void check_json(const char *at)
{
    CHECK(*at == '{');
    do {
        at = check_string(at + 1);
        CHECK(*at++ == ':');
        if (*at == '"')
            at = check_string(at);
        else if (strncmp(at, "false", 5) == 0)
            at += 5;
        else
            at = check_number(at);
    } while (*at == ',');
    CHECK(strcmp(at, "}\n") == 0);
}

/* The query with every value left out: "?a=1&b" becomes "?a=&b". */
static struct strview without_values(struct strview query, char *room)
{
    bool in_value = false;
    size_t length = 0;
    for (size_t i = 0; i < query.length; i++) {
        char c = query.data[i];
        in_value = in_value && c != '&';
        if (!in_value)
            room[length++] = c;
        in_value = in_value || c == '=';
    }
    return strview_make(room, length);
}

static void check_entry(struct access_log_entry *entry, enum access_log_format format)
{
    static char line[ACCESS_LOG_LINE_BYTES + 1];
    static char redacted[ACCESS_LOG_LINE_BYTES + 1];
    static struct access_log_second second; /* of the line before; it says the same as a new one */
    struct access_log_second new_second = {0};
    size_t length = access_log_format_line(&new_second, format, entry, line);
    check_line(line, length);
    line[length] = '\0';
    if (format == ACCESS_LOG_JSON)
        check_json(line);

    struct strview query = entry->query;
    char *room = malloc(query.length + 1);
    CHECK(room != NULL);
    entry->query = without_values(query, room);
    redacted[access_log_format_line(&second, format, entry, redacted)] = '\0';
    CHECK(strcmp(line, redacted) == 0);
    entry->query = query;
    free(room);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct strview input = strview_make((const char *)data, size);
    struct access_log_entry entry = {0};
    struct strview *texts[] = {
        &entry.query,  &entry.path,     &entry.authority, &entry.request_id, &entry.client,
        &entry.method, &entry.route,    &entry.module,    &entry.stage,      &entry.side,
        &entry.reason, &entry.trace_id, &entry.protocol,  &entry.endpoint,
    };
    if (size == 0)
        return 0;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        *texts[i] = take_text(&input);
    entry.unix_ms = take_number(&input) >> 16; /* a time that has a date */
    entry.bytes_received = take_number(&input);
    entry.bytes_sent = take_number(&input);
    entry.duration_us = take_number(&input);
    entry.first_byte_us = take_number(&input);
    entry.generation = take_number(&input);
    entry.status = (int)take_number(&input);
    entry.attempts = (uint32_t)take_number(&input);
    check_entry(&entry, ACCESS_LOG_JSON);
    check_entry(&entry, ACCESS_LOG_COMBINED);
    return 0;
}
