#include "extracted/service_kit/utf8.h"

int32_t utf8_next(struct utf8_reader *text)
{
    /* By length: what the first byte has besides its payload, and the smallest code allowed. */
    static const struct {
        unsigned char mask, mark;
        int32_t smallest;
    } forms[] = {{0x80, 0x00, 0}, {0xe0, 0xc0, 0x80}, {0xf0, 0xe0, 0x800}, {0xf8, 0xf0, 0x10000}};
    for (unsigned more = 0; more < 4 && text->at < text->end; more++) {
        if ((text->at[0] & forms[more].mask) != forms[more].mark)
            continue;
        if ((size_t)(text->end - text->at) <= more)
            return -1;
        int32_t code = text->at[0] & ~forms[more].mask & 0xff;
        for (unsigned i = 1; i <= more; i++) {
            if ((text->at[i] & 0xc0) != 0x80)
                return -1;
            code = code * 64 + (text->at[i] & 0x3f);
        }
        bool surrogate = code >= 0xd800 && code <= 0xdfff;
        if (code < forms[more].smallest || code > 0x10ffff || surrogate)
            return -1;
        text->at += more + 1;
        return code;
    }
    return -1;
}

bool utf8_is_valid(const char *bytes, size_t length)
{
    struct utf8_reader text = {(const unsigned char *)bytes, (const unsigned char *)bytes + length};
    while (text.at < text.end) {
        if (utf8_next(&text) < 0)
            return false;
    }
    return true;
}

/* Every byte that continues none begins a character. */
size_t utf8_count(const char *bytes, size_t length)
{
    size_t count = 0;
    for (size_t i = 0; i < length; i++)
        count += ((unsigned char)bytes[i] & 0xc0) != 0x80 ? 1 : 0;
    return count;
}
