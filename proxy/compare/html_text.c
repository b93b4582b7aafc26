#include "proxy/compare/html_text.h"

#include "proxy/compare/utf8.h"

bool html_is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

static struct strview trim(struct strview text)
{
    while (text.length > 0 && html_is_space(text.data[0]))
        text = strview_from(text, 1);
    while (text.length > 0 && html_is_space(text.data[text.length - 1]))
        text.length--;
    return text;
}

static bool is_plain(struct strview text, bool collapse)
{
    bool space_before = false;
    for (size_t i = 0; i < text.length; i++) {
        char c = text.data[i];
        bool space = html_is_space(c);
        if (c == '&' || (collapse && space && (space_before || c != ' ')))
            return false;
        space_before = space;
    }
    return true;
}

enum { REFERENCE_BYTES_MAX = 12 };

static bool digit_value(char c, unsigned base, uint32_t *ret_value)
{
    char lower = ascii_lower(c);
    if (c >= '0' && c <= '9')
        *ret_value = (uint32_t)(c - '0');
    else if (base == 16 && lower >= 'a' && lower <= 'f')
        *ret_value = (uint32_t)(lower - 'a' + 10);
    else
        return false;
    return true;
}

/* "#233" or "#xE9", between '&' and ';'. */
static bool read_number(struct strview text, uint32_t *ret_character)
{
    bool hex = text.length > 1 && ascii_lower(text.data[1]) == 'x';
    size_t begin = hex ? 2 : 1;
    uint32_t character = 0;
    uint32_t digit;
    if (text.length <= begin)
        return false;
    for (size_t i = begin; i < text.length; i++) {
        if (!digit_value(text.data[i], hex ? 16 : 10, &digit))
            return false;
        character = character * (hex ? 16 : 10) + digit;
        if (character > 0x10ffff)
            return false;
    }
    *ret_character = character;
    return character != 0;
}

static bool read_name(struct strview text, uint32_t *ret_character)
{
    static const struct {
        struct strview name;
        uint32_t character;
    } names[] = {{{"amp", 3}, '&'},  {{"lt", 2}, '<'},    {{"gt", 2}, '>'},
                 {{"quot", 4}, '"'}, {{"apos", 4}, '\''}, {{"nbsp", 4}, 0xa0}};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strview_equal(text, names[i].name)) {
            *ret_character = names[i].character;
            return true;
        }
    }
    return false;
}

/* Writes what the reference at '&' stands for and returns how long it is, or 0 when it is none that
 * we know. */
static size_t decode_reference(struct strview text, char *out, size_t *used)
{
    uint32_t character;
    struct strview head = text;
    if (head.length > REFERENCE_BYTES_MAX)
        head.length = REFERENCE_BYTES_MAX;
    size_t end = strview_find(head, ';');
    if (end == head.length || end < 2)
        return 0;
    struct strview name = strview_make(text.data + 1, end - 1);
    bool known = name.data[0] == '#' ? read_number(name, &character) : read_name(name, &character);
    char bytes[UTF8_CHARACTER_BYTES];
    size_t length = known ? utf8_write(character, bytes) : 0;
    /* What is written is never longer than what was read: no reference is shorter than 4 bytes. */
    if (length == 0 || length > end + 1)
        return 0;
    memcpy(out + *used, bytes, length);
    *used += length;
    return end + 1;
}

struct strview html_text_decode(struct arena *arena, struct strview text, bool collapse)
{
    if (collapse)
        text = trim(text);
    if (is_plain(text, collapse))
        return text;
    char *out = arena_alloc(arena, text.length);
    size_t used = 0;
    for (size_t i = 0; i < text.length;) {
        char c = text.data[i];
        size_t length = c == '&' ? decode_reference(strview_from(text, i), out, &used) : 0;
        if (length == 0 && collapse && html_is_space(c)) {
            if (used == 0 || out[used - 1] != ' ')
                out[used++] = ' ';
        } else if (length == 0) {
            out[used++] = c;
        }
        i += length > 0 ? length : 1;
    }
    return strview_make(out, used);
}
