#include "proxy/observe/access_log_text.h"

enum { WORD_BYTES = sizeof(uint64_t), HALF_BYTES = sizeof(uint32_t) };

/* `byte` in each byte of a word. */
#define WORD_OF(byte) (UINT64_MAX / 255 * (byte))

/*
 * Is every one of eight bytes written as it is? All that matters are the highest bits: each of the
 * terms sets one in place of a byte that needs an escape, and in place of others only where another
 * byte has set one.
 */
static bool word_is_plain(uint64_t word)
{
    uint64_t special = word;        /* above ASCII */
    special |= word + WORD_OF(1);   /* DEL */
    special |= word - WORD_OF(' '); /* control characters */
    special |= (word ^ WORD_OF('"')) - WORD_OF(1);
    special |= (word ^ WORD_OF('\\')) - WORD_OF(1);
    return (special & WORD_OF(0x80)) == 0;
}

static bool copy_plain_word(char *to, const char *from)
{
    uint64_t word;
    memcpy(&word, from, sizeof(word));
    memcpy(to, &word, sizeof(word));
    return word_is_plain(word);
}

/* Four to seven bytes, as two halves that overlap. */
static bool copy_plain_halves(char *to, const char *from, size_t length)
{
    uint32_t first;
    uint32_t last;
    memcpy(&first, from, sizeof(first));
    memcpy(&last, from + length - HALF_BYTES, sizeof(last));
    memcpy(to, &first, sizeof(first));
    memcpy(to + length - HALF_BYTES, &last, sizeof(last));
    return word_is_plain((uint64_t)last << 32 | first);
}

/* Up to three bytes. */
static bool copy_plain_bytes(char *to, const char *from, size_t length)
{
    uint64_t word = WORD_OF(' ');
    for (size_t i = 0; i < length; i++) {
        to[i] = from[i];
        word = word << 8 | (unsigned char)from[i];
    }
    return word_is_plain(word);
}

/* Copies as long as nothing needs to be escaped, in whole words; what stands behind the bytes that
 * it counts, up to the length, may be anything. */
static size_t copy_plain(char *to, struct strview text)
{
    const char *from = text.data;
    size_t length = text.length;
    size_t copied = 0;
    if (length < HALF_BYTES)
        return copy_plain_bytes(to, from, length) ? length : 0;
    if (length < WORD_BYTES)
        return copy_plain_halves(to, from, length) ? length : 0;
    for (; length - copied >= WORD_BYTES; copied += WORD_BYTES) {
        if (!copy_plain_word(to + copied, from + copied))
            return copied;
    }
    /* The rest with some of what went before. */
    bool rest = copy_plain_word(to + length - WORD_BYTES, from + length - WORD_BYTES);
    return rest ? length : copied;
}

static char *put_escaped_byte(char *at, unsigned char c)
{
    static const char digits[] = "0123456789abcdef";
    if (c >= 0x20 && c < 0x7f) {
        if (c == '"' || c == '\\')
            *at++ = '\\';
        *at++ = (char)c;
        return at;
    }
    memcpy(at, "\\u00", 4);
    at[4] = digits[c >> 4];
    at[5] = digits[c & 15];
    return at + 6;
}

/* Some of it needs escapes, or it may be too long: bytes above ASCII become \u00XX, so that any
 * input is valid. Words are tried again a while after the last that was not plain. */
static char *put_slowly(char *at, struct strview text, const char *end)
{
    const char *from = text.data;
    const char *const from_end = text.data + text.length;
    const char *next_words = from;
    while (from < from_end && end - at >= TEXT_ESCAPED_MAX_BYTES) {
        bool words = from >= next_words && from_end - from >= WORD_BYTES &&
                     end - at >= WORD_BYTES + TEXT_ESCAPED_MAX_BYTES - 1;
        if (words && copy_plain_word(at, from)) {
            at += WORD_BYTES;
            from += WORD_BYTES;
            continue;
        }
        if (words)
            next_words = from + WORD_BYTES;
        at = put_escaped_byte(at, (unsigned char)*from++);
    }
    return at;
}

char *text_put_escaped(char *at, struct strview text, size_t max)
{
    size_t copied = 0;
    if (text.length <= max - TEXT_ESCAPED_MAX_BYTES)
        copied = copy_plain(at, text);
    if (copied == text.length)
        return at + copied;
    return put_slowly(at + copied, strview_from(text, copied), at + max);
}

char *text_put_query_names(char *at, struct strview query, size_t max)
{
    const char *start = at;
    while (query.length > 0 && (size_t)(at - start) + TEXT_ESCAPED_MAX_BYTES < max) {
        struct strview pair = strview_make(query.data, strview_find(query, '&'));
        size_t name = strview_find(pair, '=');
        at = text_put_escaped(at, strview_make(pair.data, name), max - (size_t)(at - start));
        if (name < pair.length) {
            memcpy(at, "=...", 4);
            at += 4;
        }
        if (pair.length < query.length)
            *at++ = '&';
        query = strview_from(query, pair.length < query.length ? pair.length + 1 : pair.length);
    }
    return at;
}
