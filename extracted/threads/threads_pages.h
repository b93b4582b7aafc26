/*
 * The forum's pages about categories, and new threads. The loop's thread.
 */
#ifndef THREADS_PAGES_H
#define THREADS_PAGES_H

#include "extracted/service_kit/router.h"

http_answer threads_page_front;
http_answer threads_page_category;
http_answer threads_page_new;
http_answer threads_page_new_send;

#endif
