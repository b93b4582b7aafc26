/*
 * Bytes as lower-case hex digits. Pure; any thread.
 */
#ifndef SERVICE_KIT_HEX_H
#define SERVICE_KIT_HEX_H

#include <stddef.h>

/* Writes 2 * length digits and a NUL. */
void hex_write(const unsigned char *bytes, size_t length, char *ret_hex);

#endif
