#include "extracted/service_kit/decimal.h"

enum { MOST_DIGITS = 15 };

bool decimal_read(struct http_view digits, int64_t *ret_number)
{
    int64_t number = 0;
    if (digits.length == 0 || digits.length > MOST_DIGITS)
        return false;
    for (size_t i = 0; i < digits.length; i++) {
        if (digits.bytes[i] < '0' || digits.bytes[i] > '9')
            return false;
        number = number * 10 + (digits.bytes[i] - '0');
    }
    *ret_number = number;
    return true;
}

bool decimal_read_id(struct http_view digits, int64_t *ret_id)
{
    int64_t id;
    if (!decimal_read(digits, &id) || id == 0)
        return false;
    *ret_id = id;
    return true;
}
