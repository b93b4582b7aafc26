#include "proxy/cli/admin_client.h"

#include <curl/curl.h>
#include <stdlib.h>

#include "proxy/core/arena.h"
#include "proxy/core/array.h"
#include "proxy/core/check.h"

enum { ANSWER_BYTES_MAX = 64 * 1024 * 1024, CONNECT_LIMIT_MS = 3000, FIELD_BYTES = 400 };

struct conversation {
    CURL *curl;
    struct curl_slist *fields;
    char *request;
    char *bytes;
    size_t length;
    bool is_too_long;
    char error[CURL_ERROR_SIZE];
};

static size_t on_bytes(char *bytes, size_t size, size_t count, void *context)
{
    struct conversation *conversation = context;
    size_t length = size * count;
    if (length > ANSWER_BYTES_MAX - conversation->length) {
        conversation->is_too_long = true;
        return 0;
    }
    conversation->bytes = memory_realloc(conversation->bytes, conversation->length + length + 1);
    memcpy(conversation->bytes + conversation->length, bytes, length);
    conversation->length += length;
    return length;
}

static void add_field(struct conversation *conversation, const char *name, const char *value)
{
    char text[FIELD_BYTES];
    int length = snprintf(text, sizeof(text), "%s: %s", name, value);
    if (length < (int)sizeof(text))
        conversation->fields = curl_slist_append(conversation->fields, text);
    explicit_bzero(text, sizeof(text));
}

#define SET(conversation, option, value)                                                           \
    CHECK(curl_easy_setopt((conversation)->curl, option, value) == CURLE_OK)

static void set_place(struct conversation *conversation, const struct admin_place *place,
                      const char *path)
{
    struct arena arena;
    arena_init(&arena, NULL);
    struct strview address = strview_of(place->address);
    bool is_local = strview_starts_with(address, STRVIEW("unix:"));
    if (is_local)
        SET(conversation, CURLOPT_UNIX_SOCKET_PATH, place->address + 5);
    struct strview url =
        arena_printf(&arena, "http://%s%s", is_local ? "localhost" : place->address, path);
    SET(conversation, CURLOPT_URL, url.data);
    arena_done(&arena);
    if (place->token != NULL) {
        char value[FIELD_BYTES];
        snprintf(value, sizeof(value), "Bearer %s", place->token);
        add_field(conversation, "Authorization", value);
        explicit_bzero(value, sizeof(value));
    }
}

static void set_question(struct conversation *conversation, const struct admin_question *question)
{
    SET(conversation, CURLOPT_NOPROXY, "*"); /* what the environment says is for other errands */
    SET(conversation, CURLOPT_PROTOCOLS_STR, "http");
    SET(conversation, CURLOPT_PATH_AS_IS, 1L);
    SET(conversation, CURLOPT_NOSIGNAL, 1L);
    SET(conversation, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_LIMIT_MS);
    SET(conversation, CURLOPT_TIMEOUT_MS, (long)question->timeout_ms);
    SET(conversation, CURLOPT_ERRORBUFFER, conversation->error);
    SET(conversation, CURLOPT_WRITEFUNCTION, on_bytes);
    SET(conversation, CURLOPT_WRITEDATA, conversation);
    SET(conversation, CURLOPT_CUSTOMREQUEST, question->method);
    if (question->if_match != NULL)
        add_field(conversation, "If-Match", question->if_match);
    add_field(conversation, "Expect", ""); /* the body is small: no need to ask first */
    if (question->body != NULL) {
        conversation->request = json_dumps(question->body, JSON_COMPACT);
        CHECK(conversation->request != NULL);
        add_field(conversation, "Content-Type", "application/json");
        SET(conversation, CURLOPT_POSTFIELDS, conversation->request);
    }
    SET(conversation, CURLOPT_HTTPHEADER, conversation->fields);
}

/* Nothing went out before there was a connection. */
static enum admin_outcome outcome_of(const struct conversation *conversation)
{
    curl_off_t connected_us = 0;
    curl_easy_getinfo(conversation->curl, CURLINFO_PRETRANSFER_TIME_T, &connected_us);
    return connected_us == 0 ? ADMIN_UNREACHABLE : ADMIN_LOST;
}

static void take_answer(struct conversation *conversation, CURLcode code,
                        struct admin_answer_told *told)
{
    long status = 0;
    curl_easy_getinfo(conversation->curl, CURLINFO_RESPONSE_CODE, &status);
    if (code == CURLE_OK) {
        told->outcome = ADMIN_ANSWERED;
        told->status = (int)status;
        told->body = json_loadb(conversation->bytes != NULL ? conversation->bytes : "",
                                conversation->length, 0, NULL);
        return;
    }
    told->outcome = outcome_of(conversation);
    const char *error =
        conversation->error[0] != '\0' ? conversation->error : curl_easy_strerror(code);
    snprintf(told->fault, sizeof(told->fault), "%s",
             conversation->is_too_long ? "the answer is too long" : error);
}

void admin_client_ask(const struct admin_place *place, const struct admin_question *question,
                      struct admin_answer_told *ret_told)
{
    struct conversation conversation = {.curl = curl_easy_init()};
    CHECK(conversation.curl != NULL);
    *ret_told = (struct admin_answer_told){.outcome = ADMIN_UNREACHABLE};
    set_place(&conversation, place, question->path);
    set_question(&conversation, question);
    take_answer(&conversation, curl_easy_perform(conversation.curl), ret_told);
    curl_easy_cleanup(conversation.curl);
    curl_slist_free_all(conversation.fields);
    free(conversation.request);
    free(conversation.bytes);
}

void admin_client_done(struct admin_answer_told *told)
{
    json_decref(told->body);
    told->body = NULL;
}

char *admin_client_encode(const char *text)
{
    char *encoded = curl_easy_escape(NULL, text, 0);
    CHECK(encoded != NULL);
    char *copy = memory_strdup(encoded);
    curl_free(encoded);
    return copy;
}

char *admin_client_module_path(const char *name, const char *rest)
{
    char *path = NULL;
    char *encoded = admin_client_encode(name);
    CHECK(asprintf(&path, "/modules/%s%s", encoded, rest) >= 0);
    free(encoded);
    return path;
}
