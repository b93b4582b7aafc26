#include "proxy/compare/json_tree.h"

#include <xxhash.h>

enum { EXPONENT_DIGITS_MAX = 9 };

const char json_number_too_large[] = "a number's exponent is too large";

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* "e+012" and the like; `text` begins behind the e. */
static bool read_exponent(struct strview text, int64_t *ret_exponent)
{
    size_t i = 0;
    bool negative = text.length > 0 && text.data[0] == '-';
    if (text.length > 0 && (text.data[0] == '-' || text.data[0] == '+'))
        i++;
    while (i < text.length && text.data[i] == '0')
        i++;
    if (text.length - i > EXPONENT_DIGITS_MAX)
        return false;
    int64_t value = 0;
    for (; i < text.length; i++)
        value = value * 10 + (text.data[i] - '0');
    *ret_exponent = negative ? -value : value;
    return true;
}

static struct strview take_digits(struct strview *text)
{
    size_t length = 0;
    while (length < text->length && is_digit(text->data[length]))
        length++;
    struct strview digits = strview_make(text->data, length);
    *text = strview_from(*text, length);
    return digits;
}

static struct strview without_leading_zeros(struct strview digits)
{
    size_t zeros = 0;
    while (zeros < digits.length && digits.data[zeros] == '0')
        zeros++;
    return strview_from(digits, zeros);
}

static struct strview without_trailing_zeros(struct strview digits, int64_t *exponent)
{
    for (; digits.length > 0 && digits.data[digits.length - 1] == '0'; digits.length--)
        ++*exponent;
    return digits;
}

bool json_number_read(struct strview text, struct json_number *ret_number)
{
    struct json_number number = {.negative = text.length > 0 && text.data[0] == '-',
                                 .fraction = STRVIEW("")};
    struct strview rest = strview_from(text, number.negative ? 1 : 0);
    number.whole = without_leading_zeros(take_digits(&rest));
    if (rest.length > 0 && rest.data[0] == '.') {
        rest = strview_from(rest, 1);
        number.fraction = take_digits(&rest);
    }
    if (rest.length > 0 && !read_exponent(strview_from(rest, 1), &number.exponent))
        return false;
    number.exponent -= (int64_t)number.fraction.length;
    if (number.whole.length == 0)
        number.fraction = without_leading_zeros(number.fraction);
    number.fraction = without_trailing_zeros(number.fraction, &number.exponent);
    if (number.fraction.length == 0)
        number.whole = without_trailing_zeros(number.whole, &number.exponent);
    if (number.whole.length + number.fraction.length == 0)
        number = (struct json_number){.negative = false};
    *ret_number = number;
    return true;
}

static char digit_at(const struct json_number *number, size_t at)
{
    return at < number->whole.length ? number->whole.data[at]
                                     : number->fraction.data[at - number->whole.length];
}

bool json_number_equal(const struct json_number *first, const struct json_number *second)
{
    size_t length = first->whole.length + first->fraction.length;
    if (first->negative != second->negative || first->exponent != second->exponent ||
        length != second->whole.length + second->fraction.length)
        return false;
    for (size_t i = 0; i < length; i++) {
        if (digit_at(first, i) != digit_at(second, i))
            return false;
    }
    return true;
}

/* FNV-1a, digit by digit: where the point stands among them must not matter. */
static uint64_t hash_digits(uint64_t hash, struct strview digits)
{
    for (size_t i = 0; i < digits.length; i++)
        hash = (hash ^ (unsigned char)digits.data[i]) * 0x100000001b3u;
    return hash;
}

uint64_t json_number_hash(const struct json_number *number)
{
    uint64_t seed = (uint64_t)number->exponent * 2 + (number->negative ? 1 : 0);
    uint64_t hash = hash_digits(0xcbf29ce484222325u, number->whole);
    return XXH3_64bits_withSeed(&seed, sizeof(seed), hash_digits(hash, number->fraction));
}
