/*
 * Values out of the query of a request's path. Pure; any thread.
 */
#ifndef SERVICE_KIT_QUERY_STRING_H
#define SERVICE_KIT_QUERY_STRING_H

#include "extracted/service_kit/http_message.h"

/* The raw value of the first parameter of that name. False: there is none. */
bool query_find(struct http_view query, const char *name, struct http_view *ret_value);

/* A plain decimal number of at most 15 digits, or `otherwise` if the parameter is missing. False:
 * it is there and is no such number. */
bool query_number(struct http_view query, const char *name, int64_t otherwise, int64_t *ret_value);

/* A duration such as 20s, in ms; 0 if it is missing. False: it is there and is none. */
bool query_duration_ms(struct http_view query, const char *name, int64_t *ret_ms);

#endif
