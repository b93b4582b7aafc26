#include "monolith_stub/feeds/remote.h"

#include <string.h>
#include <strings.h>

#include "monolith_stub/input/paging.h"

static size_t on_body(char *bytes, size_t size, size_t count, void *context)
{
    struct remote_answer *answer = context;
    text_append(&answer->body, bytes, size * count);
    return answer->body.failed ? 0 : size * count;
}

static size_t on_field(char *bytes, size_t size, size_t count, void *context)
{
    static const char name[] = "x-feed-last:";
    struct remote_answer *answer = context;
    struct text_view line = {bytes, size * count};
    if (line.length > strlen(name) && strncasecmp(bytes, name, strlen(name)) == 0) {
        struct text_view value = {bytes + strlen(name), line.length - strlen(name)};
        while (value.length > 0 && *value.bytes == ' ')
            value = (struct text_view){value.bytes + 1, value.length - 1};
        while (value.length > 0 && strchr("\r\n ", value.bytes[value.length - 1]) != NULL)
            value.length--;
        number_read(value, &answer->feed_last);
    }
    return line.length;
}

CURL *remote_new(const char *url, long timeout_ms, struct remote_answer *answer)
{
    CURL *remote = curl_easy_init();
    if (remote == NULL)
        return NULL;
    answer->feed_last = -1;
    curl_easy_setopt(remote, CURLOPT_URL, url);
    curl_easy_setopt(remote, CURLOPT_PROTOCOLS_STR, "http");
    curl_easy_setopt(remote, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE);
    curl_easy_setopt(remote, CURLOPT_FRESH_CONNECT, 1L);
    curl_easy_setopt(remote, CURLOPT_FORBID_REUSE, 1L);
    curl_easy_setopt(remote, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(remote, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(remote, CURLOPT_TIMEOUT_MS, timeout_ms);
    curl_easy_setopt(remote, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(remote, CURLOPT_WRITEDATA, answer);
    curl_easy_setopt(remote, CURLOPT_HEADERFUNCTION, on_field);
    curl_easy_setopt(remote, CURLOPT_HEADERDATA, answer);
    return remote;
}

struct curl_slist *remote_post_json(CURL *remote, const char *body)
{
    struct curl_slist *fields = curl_slist_append(NULL, "Content-Type: application/json");
    curl_easy_setopt(remote, CURLOPT_HTTPHEADER, fields);
    curl_easy_setopt(remote, CURLOPT_POSTFIELDS, body);
    return fields;
}
