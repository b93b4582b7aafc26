#include "extracted/service_kit/form.h"

#include <stdlib.h>
#include <string.h>

#include "extracted/service_kit/utf8.h"

/* What is still encoded, and where the next decoded byte goes. Decoding makes nothing longer. */
struct decoder {
    const char *at;
    const char *end;
    char *out;
};

static int digit_value(char digit)
{
    switch (digit) {
    case '0' ... '9':
        return digit - '0';
    case 'a' ... 'f':
        return digit - 'a' + 10;
    case 'A' ... 'F':
        return digit - 'A' + 10;
    default:
        return -1;
    }
}

/* The two digits after a percent sign; -1: they are none. */
static int decode_escape(struct decoder *decoder)
{
    if (decoder->end - decoder->at < 3)
        return -1;
    int high = digit_value(decoder->at[1]);
    int low = digit_value(decoder->at[2]);
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

/* Decodes up to one of two separators, or to the end. */
static bool decode_until(struct decoder *decoder, const char separators[2], struct http_view *ret)
{
    char *first = decoder->out;
    while (decoder->at < decoder->end && memchr(separators, *decoder->at, 2) == NULL) {
        int byte = *decoder->at == '+' ? ' ' : *decoder->at;
        if (byte == '%') {
            byte = decode_escape(decoder);
            if (byte < 0)
                return false;
            decoder->at += 2;
        }
        *decoder->out++ = (char)byte;
        decoder->at++;
    }
    *ret = (struct http_view){first, (size_t)(decoder->out - first)};
    return utf8_is_valid(first, ret->length);
}

static bool decode_field(struct decoder *decoder, struct form_field *field)
{
    if (!decode_until(decoder, "=&", &field->name))
        return false;
    if (decoder->at < decoder->end && *decoder->at == '=')
        decoder->at++;
    return decode_until(decoder, "&&", &field->value);
}

static bool decode_all(struct decoder *decoder, struct form *form)
{
    while (decoder->at < decoder->end) {
        if (*decoder->at == '&') {
            decoder->at++;
            continue;
        }
        if (form->count == FORM_FIELDS || !decode_field(decoder, &form->fields[form->count]))
            return false;
        form->count++;
    }
    return true;
}

bool form_read(struct http_view encoded, struct form *ret_form)
{
    ret_form->count = 0;
    ret_form->bytes = malloc(encoded.length + 1);
    if (ret_form->bytes == NULL)
        return false;
    if (encoded.length == 0)
        return true;
    struct decoder decoder = {encoded.bytes, encoded.bytes + encoded.length, ret_form->bytes};
    if (decode_all(&decoder, ret_form))
        return true;
    form_done(ret_form);
    return false;
}

void form_done(struct form *form)
{
    free(form->bytes);
    form->bytes = NULL;
    form->count = 0;
}

struct http_view form_value(const struct form *form, const char *name)
{
    for (size_t i = 0; i < form->count; i++) {
        if (http_view_equals(form->fields[i].name, name))
            return form->fields[i].value;
    }
    return (struct http_view){"", 0};
}
