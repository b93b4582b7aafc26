/*
 * The pages of the users module: register, log in and out; profiles and the form that edits them.
 * The loop's thread.
 */
#ifndef USERS_PAGES_H
#define USERS_PAGES_H

#include "extracted/service_kit/router.h"

http_answer users_page_register;
http_answer users_page_register_send;
http_answer users_page_log_in;
http_answer users_page_log_in_send;
http_answer users_page_log_out;

http_answer users_page_profile;
http_answer users_page_edit;
http_answer users_page_edit_send;

#endif
