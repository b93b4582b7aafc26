/*
 * Bytes as lower-case hex, and back. Pure; any thread.
 */
#ifndef SERVICE_KIT_HEX_H
#define SERVICE_KIT_HEX_H

#include "extracted/service_kit/http_message.h"

/* Two digits a byte, and a NUL. */
void hex_write(const unsigned char *bytes, size_t count, char *ret_text);

/* False: it is not exactly `count` bytes in hex. */
bool hex_read(struct http_view text, unsigned char *ret_bytes, size_t count);

#endif
