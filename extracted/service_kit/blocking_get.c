#include "extracted/service_kit/blocking_get.h"

#include <curl/curl.h>

#include "extracted/service_kit/feed.h"

enum { CONNECT_TIMEOUT_MS = 2000 };

static size_t on_body(char *bytes, size_t size, size_t count, void *context)
{
    struct blocking_get *get = context;
    return get->take(get->context, bytes, size * count) ? size * count : 0;
}

static size_t on_field(char *bytes, size_t size, size_t count, void *context)
{
    struct blocking_get *get = context;
    feed_last_read(bytes, size * count, &get->feed_last);
    return size * count;
}

/* libcurl asks about once a second, and while data flows: a stop ends the transfer. */
static int on_progress(void *context, curl_off_t down_total, curl_off_t down, curl_off_t up_total,
                       curl_off_t up)
{
    (void)down_total;
    (void)down;
    (void)up_total;
    (void)up;
    const struct blocking_get *get = context;
    return *get->stop != 0;
}

static bool set_up(CURL *curl, struct blocking_get *get)
{
    long timeout_ms = get->timeout_ms < 1 ? 1L : (long)get->timeout_ms;
    return curl_easy_setopt(curl, CURLOPT_URL, get->url) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http") == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_PROXY, "") == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_TIMEOUT_MS) ==
               CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, timeout_ms) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_WRITEDATA, get) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_field) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_HEADERDATA, get) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_XFERINFODATA, get) == CURLE_OK;
}

bool blocking_get_run(struct blocking_get *get)
{
    CURLcode code = CURLE_FAILED_INIT;
    CURL *curl = curl_easy_init();
    long status = 0;
    get->feed_last = -1;
    if (curl != NULL && set_up(curl, get)) {
        code = curl_easy_perform(curl);
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    }
    get->status = (unsigned)status;
    get->fault = code == CURLE_OK ? NULL : curl_easy_strerror(code);
    curl_easy_cleanup(curl);
    return code == CURLE_OK;
}
