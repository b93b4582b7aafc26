/*
 * Puts a new text in the place of a file: whole or not at all, also if the machine stops in the
 * middle. Blocks for as long as the disk takes. Any thread.
 */
#ifndef CONFIG_SOURCE_REPLACE_H
#define CONFIG_SOURCE_REPLACE_H

#include "proxy/core/fault.h"
#include "proxy/core/strview.h"

/*
 * Writes `after` beside the file, makes it durable and renames it, with the file's mode and owner;
 * through a symbolic link, where it points. Refused when the file does not hold `before` any more.
 */
bool source_replace(const char *path, struct strview before, struct strview after,
                    struct fault *fault);

#endif
