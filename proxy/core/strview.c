#include "proxy/core/strview.h"

enum { WORD_BYTES = sizeof(uint64_t) };

/* `byte` in each byte of a word. */
#define WORD_OF(byte) (UINT64_MAX / 255 * (byte))

/* Eight bytes at once: no sum of seven bits and such a number carries into the next byte. */
static void lower_word(char *to, const char *from)
{
    uint64_t word;
    memcpy(&word, from, sizeof(word));
    uint64_t low = word & WORD_OF(0x7f);
    uint64_t from_a = low + WORD_OF(0x80 - 'A');
    uint64_t beyond_z = low + WORD_OF(0x7f - 'Z');
    uint64_t upper = (from_a ^ beyond_z) & ~word & WORD_OF(0x80);
    word |= upper >> 2; /* 0x20 */
    memcpy(to, &word, sizeof(word));
}

void ascii_lower_copy(char *to, const char *from, size_t length)
{
    size_t at = 0;
    for (; length - at >= WORD_BYTES; at += WORD_BYTES)
        lower_word(to + at, from + at);
    for (; at < length; at++)
        to[at] = ascii_lower(from[at]);
}

bool strview_equal_ignore_case(struct strview a, struct strview b)
{
    if (a.length != b.length)
        return false;
    for (size_t i = 0; i < a.length; i++) {
        if (ascii_lower(a.data[i]) != ascii_lower(b.data[i]))
            return false;
    }
    return true;
}

int strview_compare(struct strview a, struct strview b)
{
    size_t shorter = a.length < b.length ? a.length : b.length;
    int order = shorter > 0 ? memcmp(a.data, b.data, shorter) : 0;
    if (order != 0)
        return order;
    return (a.length > b.length) - (a.length < b.length);
}

size_t strview_find(struct strview view, char c)
{
    if (view.length == 0)
        return 0;
    const char *found = memchr(view.data, c, view.length);
    return found ? (size_t)(found - view.data) : view.length;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

struct strview strview_trim(struct strview view)
{
    while (view.length > 0 && is_blank(view.data[0]))
        view = strview_from(view, 1);
    while (view.length > 0 && is_blank(view.data[view.length - 1]))
        view.length--;
    return view;
}

bool strview_next_element(struct strview *list, struct strview *ret_element)
{
    while (list->length > 0) {
        size_t comma = strview_find(*list, ',');
        struct strview element = strview_trim(strview_make(list->data, comma));
        *list = strview_from(*list, comma < list->length ? comma + 1 : comma);
        if (element.length > 0) {
            *ret_element = element;
            return true;
        }
    }
    return false;
}

bool strview_to_u64(struct strview view, uint64_t maximum, uint64_t *ret_value)
{
    if (view.length == 0)
        return false;
    uint64_t value = 0;
    for (size_t i = 0; i < view.length; i++) {
        char c = view.data[i];
        if (c < '0' || c > '9')
            return false;
        uint64_t digit = (uint64_t)(c - '0');
        if (value > (UINT64_MAX - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    if (value > maximum)
        return false;
    *ret_value = value;
    return true;
}
