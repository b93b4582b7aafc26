#include "proxy/core/decimal.h"

#include <string.h>

/* Two digits at once: of 42 they stand at 84. */
#define TEN(tens)                                                                                  \
    tens "0" tens "1" tens "2" tens "3" tens "4" tens "5" tens "6" tens "7" tens "8" tens "9"
static const char pairs[] =
    TEN("0") TEN("1") TEN("2") TEN("3") TEN("4") TEN("5") TEN("6") TEN("7") TEN("8") TEN("9");

char *decimal_put_2(char *at, uint32_t value)
{
    memcpy(at, pairs + value * 2, 2);
    return at + 2;
}

char *decimal_put_6(char *at, uint32_t value)
{
    decimal_put_2(at, value / 10000);
    decimal_put_2(at + 2, value / 100 % 100);
    return decimal_put_2(at + 4, value % 100);
}

/* Of 10 and more. */
static uint32_t count_digits(uint64_t value)
{
    uint32_t digits = 2;
    for (; value >= 10000; value /= 10000)
        digits += 4;
    return digits + (value >= 100) + (value >= 1000) - (value < 10);
}

char *decimal_put(char *at, uint64_t value)
{
    if (value < 10) {
        *at = (char)('0' + value);
        return at + 1;
    }
    char *end = at + count_digits(value);
    char *first = end; /* of the digits that are written, from the last one on */
    for (; value >= 100; value /= 100)
        decimal_put_2(first -= 2, (uint32_t)(value % 100));
    if (first - at == 2)
        decimal_put_2(at, (uint32_t)value);
    else
        *at = (char)('0' + value);
    return end;
}
