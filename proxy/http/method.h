/*
 * Request methods: one closed table (RFC 9110 section 9, PATCH RFC 5789, WebDAV RFC 4918 and
 * friends, QUERY). A method outside it is answered 501. Pure, any thread.
 */
#ifndef HTTP_METHOD_H
#define HTTP_METHOD_H

#include "proxy/core/strview.h"

enum http_method {
    METHOD_GET,
    METHOD_HEAD,
    METHOD_POST,
    METHOD_PUT,
    METHOD_DELETE,
    METHOD_OPTIONS,
    METHOD_PATCH,
    METHOD_QUERY,
    METHOD_TRACE,
    METHOD_CONNECT,
    METHOD_PROPFIND,
    METHOD_PROPPATCH,
    METHOD_MKCOL,
    METHOD_COPY,
    METHOD_MOVE,
    METHOD_LOCK,
    METHOD_UNLOCK,
    METHOD_REPORT,
    METHOD_SEARCH,
    METHOD_MKCALENDAR,
    METHOD_ACL,
    METHOD_OTHER, /* not in the table */
    METHOD_COUNT
};

/* Case-sensitive, as methods are. */
enum http_method http_method_parse(struct strview text);

/* "GET"; "_OTHER" for METHOD_OTHER (its label in metrics). */
struct strview http_method_name(enum http_method method);

/* Safe methods in the sense of the contract: what counts as a read by itself. */
static inline bool http_method_is_read(enum http_method method)
{
    return method == METHOD_GET || method == METHOD_HEAD || method == METHOD_OPTIONS;
}

#endif
