/* The text of one access log line. Pure; internal to observe/. */
#ifndef OBSERVE_ACCESS_LOG_FORMAT_H
#define OBSERVE_ACCESS_LOG_FORMAT_H

#include "proxy/observe/access_log.h"

enum { ACCESS_LOG_LINE_BYTES = 4096 };

/* Writes a line with its newline, at most ACCESS_LOG_LINE_BYTES: long texts are cut. Returns its
 * length. */
size_t access_log_format_line(enum access_log_format format, const struct access_log_entry *entry,
                              char line[static ACCESS_LOG_LINE_BYTES]);

#endif
