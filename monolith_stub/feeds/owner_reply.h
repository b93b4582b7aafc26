/*
 * /internal/owner/{aggregate}: who takes the writes, and the change of it. Threads that may wait.
 */
#ifndef MONOLITH_OWNER_REPLY_H
#define MONOLITH_OWNER_REPLY_H

#include "monolith_stub/route.h"

route_answer owner_answer;
route_answer owner_answer_change;

#endif
