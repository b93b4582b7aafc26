/*
 * A borrowed piece of text: pointer and length, no terminator, no ownership. Whoever made the view
 * says how long the bytes live. Pure functions, any thread.
 */
#ifndef CORE_STRVIEW_H
#define CORE_STRVIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct strview {
    const char *data;
    size_t length;
};

#define STRVIEW(literal) ((struct strview){("" literal), sizeof(literal) - 1})
#define STRVIEW_NONE ((struct strview){NULL, 0})

/* For printf's "%.*s". */
#define STRVIEW_ARGS(view) (int)(view).length, ((view).data ? (view).data : "")

static inline struct strview strview_make(const char *data, size_t length)
{
    return (struct strview){data, length};
}

/* The view of a terminated string; NULL gives the empty view. */
static inline struct strview strview_of(const char *text)
{
    return (struct strview){text, text ? strlen(text) : 0};
}

static inline bool strview_equal(struct strview a, struct strview b)
{
    return a.length == b.length && (a.length == 0 || memcmp(a.data, b.data, a.length) == 0);
}

static inline bool strview_starts_with(struct strview view, struct strview prefix)
{
    return view.length >= prefix.length &&
           (prefix.length == 0 || memcmp(view.data, prefix.data, prefix.length) == 0);
}

/* The rest of `view` from `offset`, which may equal the length. */
static inline struct strview strview_from(struct strview view, size_t offset)
{
    return strview_make(view.data + offset, view.length - offset);
}

static inline char ascii_lower(char c)
{
    return (c >= 'A' && c <= 'Z') ? (char)(c + ('a' - 'A')) : c;
}

/* `to` has room for as much, and is `from` or elsewhere. */
void ascii_lower_copy(char *to, const char *from, size_t length);

/* ASCII case only: what HTTP means by case-insensitive (RFC 9110 section 5.1). */
bool strview_equal_ignore_case(struct strview a, struct strview b);

/* memcmp order, shorter first on a tie. */
int strview_compare(struct strview a, struct strview b);

/* Index of the first `c`, or the length when there is none. */
size_t strview_find(struct strview view, char c);

/* Without leading and trailing space and tab (OWS, RFC 9110 section 5.6.3). */
struct strview strview_trim(struct strview view);

/*
 * Takes the next element of a comma list from *list, trimmed; false at the end. Empty elements
 * are skipped (RFC 9110 section 5.6.1.2). Quoted strings are not looked into.
 */
bool strview_next_element(struct strview *list, struct strview *ret_element);

/* Decimal digits only, no sign, no space; false when empty, foreign bytes, or above `maximum`. */
bool strview_to_u64(struct strview view, uint64_t maximum, uint64_t *ret_value);

#endif
