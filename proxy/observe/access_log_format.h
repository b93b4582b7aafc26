/* The text of one access log line. Pure; internal to observe/. */
#ifndef OBSERVE_ACCESS_LOG_FORMAT_H
#define OBSERVE_ACCESS_LOG_FORMAT_H

#include "proxy/observe/access_log.h"

enum { ACCESS_LOG_LINE_BYTES = 4096, ACCESS_LOG_SECOND_BYTES = 32 };

/* The text of a second, which serves all its lines. Zeroed at first; whoever writes lines has one.
 */
struct access_log_second {
    uint64_t end_ms;                        /* when it is over, Unix time; 0: there is none */
    uint32_t json_bytes;                    /* used of: */
    char json[ACCESS_LOG_SECOND_BYTES];     /* 2026-11-22T04:50:00. */
    uint32_t combined_bytes;                /* used of: */
    char combined[ACCESS_LOG_SECOND_BYTES]; /* 22/Nov/2026:04:50:00 */
};

/* Writes a line with its newline, at most ACCESS_LOG_LINE_BYTES: long texts are cut. Returns its
 * length. */
size_t access_log_format_line(struct access_log_second *second, enum access_log_format format,
                              const struct access_log_entry *entry,
                              char line[static ACCESS_LOG_LINE_BYTES]);

#endif
