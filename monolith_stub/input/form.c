#include "monolith_stub/input/form.h"

#include <string.h>

#include "monolith_stub/input/utf8.h"

static int digit_value(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    if (digit >= 'A' && digit <= 'F')
        return digit - 'A' + 10;
    return -1;
}

/* Decodes into room, which has space for all. False: an escape is none. */
static bool decode(struct text_view encoded, char *room, size_t *ret_length)
{
    size_t length = 0;
    for (size_t i = 0; i < encoded.length; i++) {
        char byte = encoded.bytes[i];
        if (byte == '+') {
            byte = ' ';
        } else if (byte == '%') {
            if (encoded.length - i < 3)
                return false;
            int high = digit_value(encoded.bytes[i + 1]);
            int low = digit_value(encoded.bytes[i + 2]);
            if (high < 0 || low < 0)
                return false;
            byte = (char)(high << 4 | low);
            i += 2;
        }
        room[length++] = byte;
    }
    *ret_length = length;
    return true;
}

static struct text_view take_part(struct text_view *rest, char end)
{
    const char *at = memchr(rest->bytes, end, rest->length);
    struct text_view part = *rest;
    if (at == NULL) {
        *rest = (struct text_view){rest->bytes + rest->length, 0};
        return part;
    }
    part.length = (size_t)(at - rest->bytes);
    *rest = (struct text_view){at + 1, rest->length - part.length - 1};
    return part;
}

static bool read_part(struct form *form, struct text_view encoded, struct text_view *ret_part)
{
    char *room = form->bytes.bytes + form->bytes.length;
    size_t length = 0;
    if (!decode(encoded, room, &length) || !utf8_is_valid(room, length))
        return false;
    form->bytes.length += length;
    *ret_part = (struct text_view){room, length};
    return true;
}

static bool read_field(struct form *form, struct text_view encoded)
{
    if (form->count == FORM_FIELD_LIMIT)
        return false;
    struct text_view name = take_part(&encoded, '=');
    if (!read_part(form, name, &form->fields[form->count].name) ||
        !read_part(form, encoded, &form->fields[form->count].value))
        return false;
    form->count++;
    return true;
}

bool form_read(struct text_view encoded, struct form *ret_form)
{
    ret_form->count = 0;
    text_init(&ret_form->bytes, encoded.length + 1);
    if (encoded.length == 0)
        return true;
    /* Decoding never makes anything longer: one allocation, so that views into it stay good. */
    text_append(&ret_form->bytes, encoded.bytes, encoded.length);
    if (ret_form->bytes.failed)
        return false;
    text_clear(&ret_form->bytes);
    while (encoded.length > 0) {
        struct text_view field = take_part(&encoded, '&');
        if (field.length > 0 && !read_field(ret_form, field)) {
            form_done(ret_form);
            return false;
        }
    }
    return true;
}

void form_done(struct form *form)
{
    text_done(&form->bytes);
    form->count = 0;
}

bool form_find(const struct form *form, const char *name, struct text_view *ret_value)
{
    size_t length = strlen(name);
    for (unsigned i = 0; i < form->count; i++) {
        struct text_view found = form->fields[i].name;
        if (found.length == length && memcmp(found.bytes, name, length) == 0) {
            *ret_value = form->fields[i].value;
            return true;
        }
    }
    *ret_value = (struct text_view){"", 0};
    return false;
}
