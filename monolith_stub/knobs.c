#include "monolith_stub/knobs.h"

#include <ctype.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum { MILLION = 1000000 };

static bool read_duration_ms(const char *text, char end, uint32_t *ret_ms, const char **ret_rest)
{
    if (!isdigit((unsigned char)*text))
        return false;
    char *unit = NULL;
    unsigned long value = strtoul(text, &unit, 10);
    size_t unit_length = strcspn(unit, ",");
    bool is_ms = unit_length == 2 && strncmp(unit, "ms", 2) == 0;
    bool is_s = unit_length == 1 && *unit == 's';
    if ((!is_ms && !is_s) || value > KNOBS_LATENCY_LIMIT_MS || unit[unit_length] != end)
        return false;
    value *= is_s ? 1000 : 1;
    if (value > KNOBS_LATENCY_LIMIT_MS)
        return false;
    *ret_ms = (uint32_t)value;
    *ret_rest = unit + unit_length + (end != 0 ? 1 : 0);
    return true;
}

bool knobs_read_latency(const char *text, struct knobs *knobs)
{
    uint32_t low = 0;
    uint32_t high = 0;
    const char *rest = text;
    if (strchr(text, ',') == NULL) {
        if (!read_duration_ms(text, 0, &low, &rest))
            return false;
        high = low;
    } else if (!read_duration_ms(text, ',', &low, &rest) ||
               !read_duration_ms(rest, 0, &high, &rest) || high < low) {
        return false;
    }
    knobs->latency_low_ms = low;
    knobs->latency_high_ms = high;
    return true;
}

bool knobs_read_fail(const char *text, struct knobs *knobs)
{
    if (!isdigit((unsigned char)*text) || strlen(text) > 12)
        return false;
    char *end = NULL;
    double percent = strtod(text, &end);
    if (strcmp(end, "%") != 0 || !(percent >= 0 && percent <= 100))
        return false;
    knobs->fail_millionths = (uint32_t)(percent * MILLION / 100 + 0.5);
    return true;
}

bool knobs_read_bug(const char *text, struct knobs *knobs)
{
    static const struct {
        const char *name;
        enum bug bug;
    } known[] = {
        {"off-by-one", BUG_OFF_BY_ONE},
        {"dropped-field", BUG_DROPPED_FIELD},
        {"reordered", BUG_REORDERED},
        {"slow-search", BUG_SLOW_SEARCH},
    };
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (strcmp(known[i].name, text) == 0) {
            knobs->bug = known[i].bug;
            return true;
        }
    }
    return false;
}

uint32_t knobs_latency_ms(const struct knobs *knobs, uint32_t random)
{
    return knobs->latency_low_ms + random % (knobs->latency_high_ms - knobs->latency_low_ms + 1);
}

bool knobs_fails(const struct knobs *knobs, uint32_t random)
{
    return random % MILLION < knobs->fail_millionths;
}
