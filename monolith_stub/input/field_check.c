#include "monolith_stub/input/field_check.h"

#include <ctype.h>
#include <string.h>

#include "monolith_stub/input/utf8.h"

/* Characters, not bytes; a NUL is none. */
static bool has_length(struct text_view value, size_t least, size_t most)
{
    size_t count = utf8_count(value.bytes, value.length);
    return count >= least && count <= most && memchr(value.bytes, 0, value.length) == NULL;
}

const char *check_username(struct text_view value)
{
    bool is_good = value.length >= 3 && value.length <= 32;
    for (size_t i = 0; is_good && i < value.length; i++) {
        unsigned char byte = (unsigned char)value.bytes[i];
        is_good = byte < 0x80 && (isalnum(byte) || byte == '_' || byte == '-');
    }
    return is_good ? NULL : "A user name is 3 to 32 letters, digits, hyphens or underscores.";
}

const char *check_password(struct text_view value)
{
    bool is_good =
        value.length >= 8 && value.length <= 200 && memchr(value.bytes, 0, value.length) == NULL;
    return is_good ? NULL : "A password is 8 to 200 bytes long.";
}

const char *check_name(struct text_view value)
{
    return has_length(value, 0, 80) ? NULL : "A name is at most 80 characters long.";
}

const char *check_bio(struct text_view value)
{
    return has_length(value, 0, 500) ? NULL : "A bio is at most 500 characters long.";
}

const char *check_title(struct text_view value)
{
    return has_length(value, 3, 120) ? NULL : "A title is 3 to 120 characters long.";
}

const char *check_text(struct text_view value)
{
    return has_length(value, 1, 10000) ? NULL : "A text is 1 to 10000 characters long.";
}

const char *check_search(struct text_view value)
{
    return has_length(value, 1, 200) ? NULL : "A search is 1 to 200 characters long.";
}
