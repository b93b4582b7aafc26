#include "proxy/config/source_number.h"

#include <math.h>
#include <stdlib.h>

enum { NUMBER_BYTES_MAX = 64 };

static size_t count_digits(struct strview text, bool hexadecimal)
{
    size_t count = 0;
    for (; count < text.length; count++) {
        char c = ascii_lower(text.data[count]);
        if (!(c >= '0' && c <= '9') && !(hexadecimal && c >= 'a' && c <= 'f'))
            break;
    }
    return count;
}

static bool has_long_suffix(struct strview rest)
{
    return strview_equal(rest, STRVIEW("L")) || strview_equal(rest, STRVIEW("LL"));
}

/* libconfig knows hexadecimal numbers without a sign only. */
static enum source_number check_hexadecimal(struct strview digits)
{
    size_t count = count_digits(digits, true);
    struct strview rest = strview_from(digits, count);
    if (count == 0 || (rest.length > 0 && !has_long_suffix(rest)))
        return SOURCE_NUMBER_MALFORMED;
    while (count > 0 && digits.data[0] == '0') {
        digits = strview_from(digits, 1);
        count--;
    }
    /* The top bit would make it negative. */
    bool top = count > 0 && ascii_lower(digits.data[0]) >= '8';
    if (count > 16 || (count == 16 && top))
        return SOURCE_NUMBER_OVERFLOW;
    if (rest.length == 0 && (count > 8 || (count == 8 && top)))
        return SOURCE_NUMBER_TOO_LARGE;
    return SOURCE_NUMBER_INTEGER;
}

static enum source_number check_decimal(struct strview digits, bool negative, bool is_long)
{
    uint64_t value;
    uint64_t extra = negative ? 1 : 0;
    if (!strview_to_u64(digits, (uint64_t)INT64_MAX + extra, &value))
        return SOURCE_NUMBER_OVERFLOW;
    if (!is_long && value > (uint64_t)INT32_MAX + extra)
        return SOURCE_NUMBER_TOO_LARGE;
    return SOURCE_NUMBER_INTEGER;
}

static enum source_number check_float(struct strview text)
{
    char copy[NUMBER_BYTES_MAX + 1];
    memcpy(copy, text.data, text.length);
    copy[text.length] = '\0';
    char *end;
    double value = strtod(copy, &end);
    if (*end != '\0')
        return SOURCE_NUMBER_MALFORMED;
    return isfinite(value) ? SOURCE_NUMBER_FLOAT : SOURCE_NUMBER_OVERFLOW;
}

/* Only what libconfig takes for a float: digits, one point, an exponent; no "inf", no hexadecimal.
 */
static bool has_float_form(struct strview text)
{
    size_t whole = count_digits(text, false);
    text = strview_from(text, whole);
    bool point = text.length > 0 && text.data[0] == '.';
    size_t fraction = 0;
    if (point) {
        text = strview_from(text, 1);
        fraction = count_digits(text, false);
        text = strview_from(text, fraction);
    }
    if (whole + fraction == 0)
        return false;
    if (text.length == 0)
        return point;
    if (ascii_lower(text.data[0]) != 'e')
        return false;
    text = strview_from(text, 1);
    if (text.length > 0 && (text.data[0] == '-' || text.data[0] == '+'))
        text = strview_from(text, 1);
    return text.length > 0 && count_digits(text, false) == text.length;
}

enum source_number source_number_check(struct strview text)
{
    if (text.length == 0 || text.length > NUMBER_BYTES_MAX)
        return SOURCE_NUMBER_MALFORMED;
    bool negative = text.data[0] == '-';
    bool sign = negative || text.data[0] == '+';
    struct strview number = strview_from(text, sign ? 1 : 0);
    if (!sign &&
        (strview_starts_with(number, STRVIEW("0x")) || strview_starts_with(number, STRVIEW("0X"))))
        return check_hexadecimal(strview_from(number, 2));
    size_t digits = count_digits(number, false);
    struct strview rest = strview_from(number, digits);
    if (digits > 0 && (rest.length == 0 || has_long_suffix(rest)))
        return check_decimal(strview_make(number.data, digits), negative, rest.length > 0);
    return has_float_form(number) ? check_float(text) : SOURCE_NUMBER_MALFORMED;
}
