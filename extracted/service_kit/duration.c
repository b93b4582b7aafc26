#include "extracted/service_kit/duration.h"

#include <stddef.h>
#include <string.h>

static int64_t unit_ms(const char *unit)
{
    static const struct {
        const char *name;
        int64_t ms;
    } units[] = {{"ms", 1}, {"s", 1000}, {"m", 60 * 1000}, {"h", 60 * 60 * 1000}};
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (strcmp(units[i].name, unit) == 0)
            return units[i].ms;
    }
    return 0;
}

bool duration_parse(const char *text, int64_t *ret_ms)
{
    const int64_t longest = DURATION_LONGEST_HOURS * unit_ms("h");
    size_t digits = strspn(text, "0123456789");
    int64_t unit = unit_ms(text + digits);
    int64_t count = 0;
    if (digits == 0 || unit == 0)
        return false;
    for (size_t i = 0; i < digits; i++) {
        count = count * 10 + (text[i] - '0');
        if (count * unit > longest)
            return false;
    }
    *ret_ms = count * unit;
    return true;
}
