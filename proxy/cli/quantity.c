#include "proxy/cli/quantity.h"

#include "proxy/routing/bucket.h"

enum { DECIMALS = 4 };

bool quantity_duration(struct strview text, uint64_t *ret_ms)
{
    static const struct {
        struct strview name;
        uint64_t ms;
    } units[] = {{{"ms", 2}, 1},
                 {{"s", 1}, 1000},
                 {{"m", 1}, 60000},
                 {{"h", 1}, 3600000},
                 {{"d", 1}, 86400000}};
    size_t digits = 0;
    while (digits < text.length && text.data[digits] >= '0' && text.data[digits] <= '9')
        digits++;
    uint64_t number;
    if (!strview_to_u64(strview_make(text.data, digits), UINT32_MAX, &number))
        return false;
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (strview_equal(strview_from(text, digits), units[i].name)) {
            *ret_ms = number * units[i].ms;
            return true;
        }
    }
    return false;
}

bool quantity_percent(struct strview text, uint32_t *ret_threshold)
{
    if (text.length > 0 && text.data[text.length - 1] == '%')
        text.length--;
    size_t point = strview_find(text, '.');
    struct strview decimals = point < text.length ? strview_from(text, point + 1) : STRVIEW("0");
    uint64_t whole;
    uint64_t fraction;
    if (decimals.length > DECIMALS ||
        !strview_to_u64(strview_make(text.data, point), 100, &whole) ||
        !strview_to_u64(decimals, UINT32_MAX, &fraction))
        return false;
    for (size_t i = decimals.length; i < DECIMALS; i++)
        fraction *= 10;
    uint64_t threshold = whole * BUCKETS_PER_PERCENT + fraction;
    if (threshold > BUCKET_COUNT)
        return false;
    *ret_threshold = (uint32_t)threshold;
    return true;
}
