/*
 * The head of an answer, read line by line and by llhttp: what is taken for plain is valid for
 * llhttp, ends where llhttp says, and says the same. Any thread.
 */
#ifndef TESTS_SUPPORT_PLAIN_HEAD_CHECK_H
#define TESTS_SUPPORT_PLAIN_HEAD_CHECK_H

#include "proxy/http/message.h"

/* How long the plain head at the begin of an answer to `method` is, or 0; ends the program when the
 * two disagree. */
size_t plain_head_check(enum http_method method, struct strview bytes);

#endif
