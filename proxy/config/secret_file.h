/*
 * Small files that nobody but their owner may read: tokens and keys. Reading refuses what others
 * can read; making writes the whole file or nothing. Owner: the caller; one thread, off the request
 * path.
 */
#ifndef CONFIG_SECRET_FILE_H
#define CONFIG_SECRET_FILE_H

#include <stddef.h>

#include "proxy/core/fault.h"

/*
 * The text of a regular file of mode 0600 or less, terminated, at most `size` - 1 bytes without a
 * zero byte. On failure the buffer holds nothing of it; *fault never does.
 */
_Bool secret_file_read(const char *path, char *buffer, size_t size, struct fault *fault);

/* Makes the file with mode 0600, durably; one that is there already stays as it is, which is no
 * failure. */
_Bool secret_file_make(const char *path, const char *text, struct fault *fault);

#endif
