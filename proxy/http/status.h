/* Reason phrases of status codes (RFC 9110 section 15 and the registry). Pure, any thread. */
#ifndef HTTP_STATUS_H
#define HTTP_STATUS_H

/* "Bad Gateway"; empty for a code without a registered phrase. */
const char *status_phrase(int status);

#endif
