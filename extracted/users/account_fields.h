/*
 * What people may write into the fields of their accounts. Takes valid UTF-8. Pure; any thread.
 */
#ifndef USERS_ACCOUNT_FIELDS_H
#define USERS_ACCOUNT_FIELDS_H

#include "extracted/service_kit/http_message.h"
#include "extracted/service_kit/outcome.h"

/* Each: done, or a fault of the field that says what is wanted. */
struct outcome account_check_username(struct http_view value);
struct outcome account_check_password(struct http_view value);
struct outcome account_check_name(struct http_view value);
struct outcome account_check_bio(struct http_view value);

#endif
