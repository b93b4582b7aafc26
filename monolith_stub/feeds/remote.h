/*
 * A request to a service: cleartext HTTP/2 with prior knowledge, a connection of its own each
 * time. Debian 12's libcurl cannot use such a connection twice.
 */
#ifndef MONOLITH_REMOTE_H
#define MONOLITH_REMOTE_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stdint.h>

#include "monolith_stub/text.h"

struct remote_answer {
    struct text body;
    int64_t feed_last; /* X-Feed-Last; -1: it was not there */
};

/* An easy handle with all options but the URL's own. The answer is filled while it runs. NULL:
 * no memory. */
CURL *remote_new(const char *url, long timeout_ms, struct remote_answer *answer);

/* Makes it a POST of JSON; body and the list that is returned (curl_slist_free_all) have to
 * outlive it. */
struct curl_slist *remote_post_json(CURL *remote, const char *body);

#endif
