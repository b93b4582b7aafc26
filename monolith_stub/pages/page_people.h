/*
 * Pages for accounts: register, log in, log out; profiles and their edit form. Any thread.
 */
#ifndef MONOLITH_PAGE_PEOPLE_H
#define MONOLITH_PAGE_PEOPLE_H

#include "monolith_stub/route.h"

route_answer page_register;
route_answer page_register_send;
route_answer page_log_in;
route_answer page_log_in_send;
route_answer page_log_out_send;
route_answer page_profile;
route_answer page_profile_edit;
route_answer page_profile_edit_send;

#endif
