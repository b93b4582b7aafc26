/*
 * Content codings (RFC 9110 section 8.4) taken off: gzip, deflate, br, at most two on top of each
 * other, with a limit on what comes out. Any thread.
 */
#ifndef COMPARE_DECODE_H
#define COMPARE_DECODE_H

#include "proxy/core/arena.h"

/*
 * `codings` is the value of Content-Encoding, empty for none. Views `body` when nothing is coded.
 * Returns NULL, or in words of a static text why it cannot be had.
 */
const char *decode_body(struct arena *arena, struct strview codings, struct strview body,
                        size_t bytes_max, struct strview *ret_body);

#endif
