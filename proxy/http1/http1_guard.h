/*
 * What llhttp's strict mode lets pass of an HTTP/1 message's frame and we do not: lines that end
 * otherwise than by CR LF, folded lines, white space around a field's name, control characters,
 * sizes of chunks with anything but digits or too many of them, and chunk extensions without end
 * (RFC 9112 sections 2.2, 5.1, 5.2, 7.1). It sees every byte that is not content, in whatever
 * pieces. Embedded in the message's owner; pure, one thread.
 */
#ifndef HTTP1_HTTP1_GUARD_H
#define HTTP1_HTTP1_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Of one body in sum: nobody needs any. */
enum { HTTP1_EXTENSION_BYTES = 4096 };

/* Of one size, zeros in front included; 16 say all that there is. */
enum { HTTP1_SIZE_DIGITS = 32 };

enum http1_guard_state {
    /* a section of fields */
    HTTP1_GUARD_LINE, /* at the begin of a line */
    HTTP1_GUARD_NAME,
    HTTP1_GUARD_VALUE,
    HTTP1_GUARD_VALUE_LF,
    HTTP1_GUARD_LAST_LF, /* of the empty line */
    HTTP1_GUARD_END,
    /* chunks */
    HTTP1_GUARD_SIZE, /* at the begin of a size */
    HTTP1_GUARD_DIGITS,
    HTTP1_GUARD_EXTENSION,
    HTTP1_GUARD_SIZE_LF,
    HTTP1_GUARD_DATA, /* content, and then the end of its line */
    HTTP1_GUARD_DATA_LF,
    HTTP1_GUARD_BAD,
};

struct http1_guard {
    enum http1_guard_state state;
    uint32_t extension_bytes;
    uint32_t size_digits;   /* of the size under way */
    uint32_t section_bytes; /* of the fields so far */
    bool last_chunk;        /* every digit of the size was 0 */
};

/* The fields of a head begin. */
void http1_guard_begin_fields(struct http1_guard *guard);

/* A chunked body begins; its trailers are part of it. */
void http1_guard_begin_chunks(struct http1_guard *guard);

/*
 * Takes bytes up to the end of the section and says how many; the state is HTTP1_GUARD_END or
 * HTTP1_GUARD_BAD then. In chunks, only what stands between pieces of content is shown.
 */
size_t http1_guard_take(struct http1_guard *guard, const char *data, size_t length);

#endif
