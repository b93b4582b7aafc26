#include "extracted/service_kit/knobs.h"

#include <stdlib.h>
#include <string.h>

#include "extracted/service_kit/duration.h"

enum { MILLION = 1000000, TIME_LENGTH = 16, PERCENT_LENGTH = 12 };

static bool parse_time(const char *text, size_t length, uint32_t *ret_ms)
{
    char time[TIME_LENGTH];
    int64_t ms;
    if (length >= sizeof(time))
        return false;
    memcpy(time, text, length);
    time[length] = 0;
    if (!duration_parse(time, &ms) || ms > KNOBS_LATENCY_LIMIT_MS)
        return false;
    *ret_ms = (uint32_t)ms;
    return true;
}

bool knobs_parse_latency(const char *text, struct knobs *knobs)
{
    size_t length = strcspn(text, ",");
    const char *second = text[length] == ',' ? text + length + 1 : text;
    uint32_t low;
    uint32_t high;
    if (!parse_time(text, length, &low) || !parse_time(second, strlen(second), &high) || high < low)
        return false;
    knobs->latency_low_ms = low;
    knobs->latency_high_ms = high;
    return true;
}

bool knobs_parse_fail(const char *text, struct knobs *knobs)
{
    size_t length = strlen(text);
    if (length < 2 || length > PERCENT_LENGTH || strspn(text, "0123456789.") != length - 1 ||
        text[0] == '.' || text[length - 1] != '%')
        return false;
    char *end = NULL;
    double percent = strtod(text, &end);
    if (*end != '%' || percent > 100)
        return false;
    knobs->fail_millionths = (uint32_t)(percent * MILLION / 100 + 0.5);
    return true;
}

bool knobs_parse_bug(const char *text, struct knobs *knobs)
{
    static const char *const names[] = {[BUG_OFF_BY_ONE] = "off-by-one",
                                        [BUG_DROPPED_FIELD] = "dropped-field",
                                        [BUG_REORDERED] = "reordered",
                                        [BUG_SLOW_SEARCH] = "slow-search"};
    for (size_t i = BUG_OFF_BY_ONE; i <= BUG_SLOW_SEARCH; i++) {
        if (strcmp(names[i], text) == 0) {
            knobs->bug = (enum bug)i;
            return true;
        }
    }
    return false;
}

bool knobs_are_set(const struct knobs *knobs)
{
    return knobs->latency_high_ms > 0 || knobs->fail_millionths > 0 || knobs->bug != BUG_NONE;
}

static bool is_left_alone(const char *route)
{
    static const char internal[] = "/internal/";
    return route != NULL && (strncmp(route, internal, strlen(internal)) == 0 ||
                             strcmp(route, "/health") == 0 || strcmp(route, "/metrics") == 0);
}

uint32_t knobs_delay_ms(const struct knobs *knobs, const char *route, uint32_t random)
{
    if (is_left_alone(route))
        return 0;
    uint32_t ms =
        knobs->latency_low_ms + random % (knobs->latency_high_ms - knobs->latency_low_ms + 1);
    bool is_search = route != NULL && strstr(route, "/search") != NULL;
    return is_search && knobs->bug == BUG_SLOW_SEARCH ? ms + KNOBS_SLOW_SEARCH_MS : ms;
}

bool knobs_fails(const struct knobs *knobs, const char *route, uint32_t random)
{
    return !is_left_alone(route) && random % MILLION < knobs->fail_millionths;
}
