#include "proxy/compare/json_tree.h"

#include <inttypes.h>

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

enum { EXPONENT_DIGITS_MAX = 9 };

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

bool json_number_canonical(struct arena *arena, struct strview number, struct strview *ret_text)
{
    bool negative = number.length > 0 && number.data[0] == '-';
    struct strview rest = strview_from(number, negative ? 1 : 0);
    char *digits = arena_alloc(arena, rest.length + 1);
    size_t used = 0;
    size_t i = 0;
    int64_t exponent = 0;
    bool in_fraction = false;
    for (; i < rest.length && (is_digit(rest.data[i]) || rest.data[i] == '.'); i++) {
        char c = rest.data[i];
        in_fraction = in_fraction || c == '.';
        exponent -= in_fraction && c != '.' ? 1 : 0;
        if (c != '.' && (used > 0 || c != '0'))
            digits[used++] = c;
    }
    int64_t written = 0;
    if (i < rest.length && !read_exponent(strview_from(rest, i + 1), &written))
        return false;
    for (; used > 0 && digits[used - 1] == '0'; used--)
        exponent++;
    if (used == 0)
        *ret_text = STRVIEW("0");
    else
        *ret_text = arena_printf(arena, "%s%.*se%" PRId64, negative ? "-" : "", (int)used, digits,
                                 exponent + written);
    return true;
}
