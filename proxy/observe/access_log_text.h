/*
 * Texts of strangers in a line of the access log, escaped as in JSON strings (RFC 8259 section 7):
 * what is written is printable ASCII without a bare quote or backslash, whatever it was before. The
 * caller has room for `max` bytes. Pure; internal to observe/.
 */
#ifndef OBSERVE_ACCESS_LOG_TEXT_H
#define OBSERVE_ACCESS_LOG_TEXT_H

#include "proxy/core/strview.h"

enum { TEXT_ESCAPED_MAX_BYTES = 6 };

/* Writes at most `max` bytes (at least TEXT_ESCAPED_MAX_BYTES): what is longer is cut between two
 * of its own. Returns where the text ends. */
char *text_put_escaped(char *at, struct strview text, size_t max);

/* "?page=...&sort=...": names tell what was asked, values may be secrets. As above, but may write
 * TEXT_ESCAPED_MAX_BYTES more. */
char *text_put_query_names(char *at, struct strview query, size_t max);

#endif
