/*
 * POST /internal/sessions/check: the other side asks whether we know a session. Any thread.
 */
#ifndef MONOLITH_SESSION_CHECK_H
#define MONOLITH_SESSION_CHECK_H

#include "monolith_stub/route.h"

route_answer session_check_answer;

#endif
