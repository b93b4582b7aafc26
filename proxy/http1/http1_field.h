/*
 * One header field of an HTTP/1 message while it is read, in as many pieces as the reads cut it
 * into. Embedded in whoever parses; bytes go to the message's arena. One thread.
 */
#ifndef HTTP1_HTTP1_FIELD_H
#define HTTP1_HTTP1_FIELD_H

#include "proxy/core/arena.h"

/* A text that grows piece by piece: doubles, so that single bytes do not cost their square. */
struct piecewise {
    char *bytes;
    size_t length;
    size_t capacity;
};

void piecewise_add(struct piecewise *text, struct arena *arena, const char *at, size_t length);

static inline struct strview piecewise_view(const struct piecewise *text)
{
    return strview_make(text->bytes, text->length);
}

struct http1_field {
    struct piecewise name; /* lower case */
    struct piecewise value;
};

/* The caller caps http1_field_bytes before it adds. */
void http1_field_add_name(struct http1_field *field, struct arena *arena, const char *at,
                          size_t length);
void http1_field_add_value(struct http1_field *field, struct arena *arena, const char *at,
                           size_t length);

static inline size_t http1_field_bytes(const struct http1_field *field)
{
    return field->name.length + field->value.length;
}

/* Before the next one; what was handed out stays valid with the arena. */
static inline void http1_field_reset(struct http1_field *field)
{
    *field = (struct http1_field){{0}, {0}};
}

#endif
