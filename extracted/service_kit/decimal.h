/*
 * Plain decimal numbers, as ids and pages of /api/2.0 and of the forum's pages are written. Pure;
 * any thread.
 */
#ifndef SERVICE_KIT_DECIMAL_H
#define SERVICE_KIT_DECIMAL_H

#include "extracted/service_kit/http_message.h"

/* 1 to 15 digits, nothing else. */
bool decimal_read(struct http_view digits, int64_t *ret_number);

/* The same, and above 0. */
bool decimal_read_id(struct http_view digits, int64_t *ret_id);

#endif
