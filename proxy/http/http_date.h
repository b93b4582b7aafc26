/*
 * The time as messages say it: IMF-fixdate (RFC 9110 section 5.6.7). Made once a second; one
 * thread.
 */
#ifndef HTTP_HTTP_DATE_H
#define HTTP_HTTP_DATE_H

#include "proxy/core/strview.h"

enum { HTTP_DATE_BYTES = 29 };

struct http_date {
    uint64_t second; /* of Unix time; 0: nothing was made yet */
    char text[HTTP_DATE_BYTES + 1];
};

/* "Sun, 06 Nov 1994 08:49:37 GMT", valid until the next call. Years up to 9999. */
struct strview http_date_at(struct http_date *date, uint64_t unix_ms);

#endif
