#include "extracted/flip/application.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { URL_BYTES = 512, ANSWER_MAX_BYTES = 64 * 1024, TIMEOUT_MS = 5000 };

struct answer {
    char *bytes;
    size_t length;
};

static size_t on_bytes(char *data, size_t size, size_t count, void *argument)
{
    struct answer *answer = argument;
    size_t length = size * count;
    if (answer->length + length > ANSWER_MAX_BYTES)
        return 0;
    char *bytes = realloc(answer->bytes, answer->length + length + 1);
    if (bytes == NULL)
        return 0;
    memcpy(bytes + answer->length, data, length);
    answer->bytes = bytes;
    answer->length += length;
    return length;
}

static void set_options(CURL *curl, const struct application *application, const char *url,
                        struct answer *answer)
{
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_HTTP_VERSION,
                     application->http2 ? (long)CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE
                                        : (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http");
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)TIMEOUT_MS);
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_bytes);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, answer);
}

/* The answer as an object: a problem's own words become the fault. */
static json_t *parse(const struct application *application, long status,
                     const struct answer *answer, struct application_fault *fault)
{
    json_error_t error;
    json_t *object =
        json_loadb(answer->bytes != NULL ? answer->bytes : "", answer->length, 0, &error);
    if (status == 200 && json_is_object(object))
        return object;
    const char *detail = json_string_value(json_object_get(object, "detail"));
    fault->answered = true;
    snprintf(fault->text, APPLICATION_FAULT_BYTES, "the %s application answered %ld: %s",
             application->side, status, detail != NULL ? detail : "no reason given");
    json_decref(object);
    return NULL;
}

/* `body` NULL: GET. A handle of its own a request, since nothing here is asked often. */
static json_t *ask(const struct application *application, const char *aggregate, const char *body,
                   struct application_fault *fault)
{
    char url[URL_BYTES];
    fault->answered = false;
    int length = snprintf(url, sizeof(url), "%s/internal/owner/%s", application->url, aggregate);
    CURL *curl = curl_easy_init();
    if (curl == NULL || length < 0 || (size_t)length >= sizeof(url)) {
        snprintf(fault->text, APPLICATION_FAULT_BYTES, "cannot set up a request");
        curl_easy_cleanup(curl);
        return NULL;
    }
    struct answer answer = {NULL, 0};
    struct curl_slist *fields = NULL;
    set_options(curl, application, url, &answer);
    if (body != NULL) {
        fields = curl_slist_append(NULL, "content-type: application/json");
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
        curl_easy_setopt(curl, CURLOPT_HTTPHEADER, fields);
    }
    CURLcode code = curl_easy_perform(curl);
    long status = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    json_t *object = NULL;
    if (code == CURLE_OK)
        object = parse(application, status, &answer, fault);
    else
        snprintf(fault->text, APPLICATION_FAULT_BYTES, "the %s application at %s: %s",
                 application->side, application->url, curl_easy_strerror(code));
    free(answer.bytes);
    curl_slist_free_all(fields);
    curl_easy_cleanup(curl);
    return object;
}

json_t *application_owner(const struct application *application, const char *aggregate,
                          struct application_fault *fault)
{
    return ask(application, aggregate, NULL, fault);
}

json_t *application_tell_owner(const struct application *application, const char *aggregate,
                               const char *owner, uint64_t epoch, struct application_fault *fault)
{
    char body[128];
    snprintf(body, sizeof(body), "{\"owner\":\"%s\",\"epoch\":%llu}", owner,
             (unsigned long long)epoch);
    return ask(application, aggregate, body, fault);
}
