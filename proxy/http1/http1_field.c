#include "proxy/http1/http1_field.h"

void piecewise_add(struct piecewise *text, struct arena *arena, const char *at, size_t length)
{
    size_t needed = text->length + length;
    if (length == 0)
        return;
    if (needed > text->capacity) {
        size_t capacity = needed > 2 * text->capacity ? needed : 2 * text->capacity;
        char *bytes = arena_alloc(arena, capacity);
        if (text->length > 0)
            memcpy(bytes, text->bytes, text->length);
        text->bytes = bytes;
        text->capacity = capacity;
    }
    memcpy(text->bytes + text->length, at, length);
    text->length = needed;
}

void http1_field_add_name(struct http1_field *field, struct arena *arena, const char *at,
                          size_t length)
{
    struct piecewise *name = &field->name;
    if (length == 0) /* there may be no bytes to point to */
        return;
    piecewise_add(name, arena, at, length);
    char *added = name->bytes + name->length - length;
    ascii_lower_copy(added, added, length);
}

void http1_field_add_value(struct http1_field *field, struct arena *arena, const char *at,
                           size_t length)
{
    piecewise_add(&field->value, arena, at, length);
}
