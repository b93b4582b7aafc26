/*
 * /api/2.0/users, /sessions and /me. Any thread.
 */
#ifndef MONOLITH_JSON_PEOPLE_H
#define MONOLITH_JSON_PEOPLE_H

#include "monolith_stub/route.h"

route_answer json_register;
route_answer json_users;
route_answer json_user;
route_answer json_user_edit;
route_answer json_me;
route_answer json_log_in;
route_answer json_log_out;

#endif
