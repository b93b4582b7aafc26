#include "extracted/application/application.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { URL_BYTES = 1024, ANSWER_MAX_BYTES = 16 * 1024 * 1024 };

struct answer {
    char *bytes; /* NULL, or ended by a NUL */
    size_t length;
};

static const char *address_of(const char *variable, const char *usual)
{
    const char *value = getenv(variable);
    return value != NULL && value[0] != '\0' ? value : usual;
}

bool application_pair_find(const char *module, struct application_pair *ret_pair)
{
    static const struct {
        const char *module;
        const char *variable;
        const char *usual;
    } rows[] = {
        {"users", "FORUM_USERS", "http://127.0.0.1:3001"},
        {"threads", "FORUM_THREADS", "http://127.0.0.1:3002"},
        {"posts", "FORUM_POSTS", "http://127.0.0.1:3003"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (strcmp(module, rows[i].module) != 0)
            continue;
        ret_pair->legacy = (struct application){
            "legacy", address_of("FORUM_LEGACY", "http://127.0.0.1:3000"), false};
        ret_pair->extracted =
            (struct application){"extracted", address_of(rows[i].variable, rows[i].usual), true};
        return true;
    }
    return false;
}

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
    bytes[answer->length] = '\0';
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
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_bytes);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, answer);
}

/* A problem's own words become the fault. Who answers 5xx could do nothing, or has begun to. */
static void refuse(const struct application *application, long status, const struct answer *answer,
                   struct application_fault *fault)
{
    json_error_t error;
    json_t *problem =
        json_loadb(answer->bytes != NULL ? answer->bytes : "", answer->length, 0, &error);
    const char *detail = json_string_value(json_object_get(problem, "detail"));
    fault->answered = status < 500;
    snprintf(fault->text, APPLICATION_FAULT_BYTES, "the %s application answered %ld: %s",
             application->side, status, detail != NULL ? detail : "no reason given");
    json_decref(problem);
}

/* A handle of its own a request, since nothing here is asked often. */
static bool perform(CURL *curl, const struct application *application,
                    const struct application_question *question, struct answer *answer,
                    struct application_fault *fault)
{
    char url[URL_BYTES];
    struct curl_slist *fields = NULL;
    int length = snprintf(url, sizeof(url), "%s%s", application->url, question->path);
    if (curl == NULL || length < 0 || (size_t)length >= sizeof(url)) {
        snprintf(fault->text, APPLICATION_FAULT_BYTES, "cannot set up a request");
        return false;
    }
    set_options(curl, application, url, answer);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)question->timeout_ms);
    if (question->post_json != NULL) {
        fields = curl_slist_append(NULL, "content-type: application/json");
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, question->post_json);
        curl_easy_setopt(curl, CURLOPT_HTTPHEADER, fields);
    }
    CURLcode code = curl_easy_perform(curl);
    long status = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    if (code != CURLE_OK)
        snprintf(fault->text, APPLICATION_FAULT_BYTES, "the %s application at %s: %s",
                 application->side, application->url, curl_easy_strerror(code));
    else if (status != 200)
        refuse(application, status, answer, fault);
    curl_slist_free_all(fields);
    return code == CURLE_OK && status == 200;
}

char *application_ask(const struct application *application,
                      const struct application_question *question, size_t *ret_length,
                      struct application_fault *fault)
{
    struct answer answer = {NULL, 0};
    CURL *curl = curl_easy_init();
    fault->answered = false;
    bool is_good = perform(curl, application, question, &answer, fault);
    curl_easy_cleanup(curl);
    if (is_good && answer.bytes == NULL) /* nothing was said */
        answer.bytes = calloc(1, 1);
    if (is_good && answer.bytes != NULL) {
        *ret_length = answer.length;
        return answer.bytes;
    }
    if (is_good)
        snprintf(fault->text, APPLICATION_FAULT_BYTES, "no memory");
    free(answer.bytes);
    return NULL;
}

json_t *application_ask_json(const struct application *application,
                             const struct application_question *question,
                             struct application_fault *fault)
{
    size_t length = 0;
    json_error_t error;
    char *bytes = application_ask(application, question, &length, fault);
    if (bytes == NULL)
        return NULL;
    json_t *object = json_loadb(bytes, length, 0, &error);
    free(bytes);
    if (json_is_object(object))
        return object;
    snprintf(fault->text, APPLICATION_FAULT_BYTES, "the %s application's answer is no JSON object",
             application->side);
    json_decref(object);
    return NULL;
}
