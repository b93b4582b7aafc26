#include "extracted/service_kit/http_client.h"

#include <curl/curl.h>
#include <ev.h>
#include <stdlib.h>

#include "extracted/service_kit/feed.h"

enum { CONNECT_TIMEOUT_MS = 2000 };

struct http_client {
    struct ev_loop *loop;
    CURLM *multi;
    ev_timer timer;
    struct http_call *calls;
};

struct http_call {
    struct http_call *next;
    struct http_call *previous;
    struct http_client *client;
    CURL *easy;
    struct curl_slist *fields;
    struct body_text body;
    int64_t feed_last;
    void (*on_answer)(void *context, const struct http_outcome *outcome);
    void *context;
};

struct socket_watch {
    ev_io readiness;
    struct http_client *client;
};

static void free_call(struct http_call *call)
{
    if (call->easy != NULL) {
        curl_multi_remove_handle(call->client->multi, call->easy);
        curl_easy_cleanup(call->easy);
    }
    curl_slist_free_all(call->fields);
    body_text_done(&call->body);
    free(call);
}

static void unlink_call(struct http_call *call)
{
    if (call->next != NULL)
        call->next->previous = call->previous;
    if (call->previous != NULL)
        call->previous->next = call->next;
    else
        call->client->calls = call->next;
}

void http_call_cancel(struct http_call *call)
{
    unlink_call(call);
    free_call(call);
}

static void finish(struct http_call *call, CURLcode code)
{
    struct http_outcome outcome = {.body = call->body.bytes == NULL ? "" : call->body.bytes,
                                   .body_bytes = call->body.length,
                                   .feed_last = call->feed_last};
    long status = 0;
    if (code == CURLE_OK && curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status) == 0)
        outcome.status = (unsigned)status;
    else
        outcome.fault = call->body.overflowed ? "too long" : curl_easy_strerror(code);
    unlink_call(call);
    call->on_answer(call->context, &outcome);
    free_call(call);
}

static void finish_ended(struct http_client *client)
{
    CURLMsg *message;
    int left;
    while ((message = curl_multi_info_read(client->multi, &left)) != NULL) {
        char *call = NULL;
        CURLcode code = message->data.result;
        if (message->msg == CURLMSG_DONE &&
            curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &call) == CURLE_OK)
            finish((struct http_call *)(void *)call, code);
    }
}

static void on_ready(struct ev_loop *loop, ev_io *watcher, int events)
{
    (void)loop;
    struct socket_watch *watch = watcher->data;
    struct http_client *client = watch->client;
    int running;
    int ready = ((events & EV_READ) != 0 ? CURL_CSELECT_IN : 0) |
                ((events & EV_WRITE) != 0 ? CURL_CSELECT_OUT : 0);
    curl_multi_socket_action(client->multi, watcher->fd, ready, &running);
    finish_ended(client);
}

static void on_timer(struct ev_loop *loop, ev_timer *watcher, int events)
{
    (void)loop;
    (void)events;
    struct http_client *client = watcher->data;
    int running;
    curl_multi_socket_action(client->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    finish_ended(client);
}

static int on_timeout_changed(CURLM *multi, long timeout_ms, void *context)
{
    (void)multi;
    struct http_client *client = context;
    ev_timer_stop(client->loop, &client->timer);
    if (timeout_ms < 0)
        return 0;
    ev_timer_set(&client->timer, (double)timeout_ms / 1000., 0.);
    ev_timer_start(client->loop, &client->timer);
    return 0;
}

static int on_socket_changed(CURL *easy, curl_socket_t socket, int what, void *context,
                             void *socket_context)
{
    (void)easy;
    struct http_client *client = context;
    struct socket_watch *watch = socket_context;
    if (watch != NULL)
        ev_io_stop(client->loop, &watch->readiness);
    if (what == CURL_POLL_REMOVE) {
        free(watch);
        return 0;
    }
    if (watch == NULL) {
        watch = calloc(1, sizeof(*watch));
        if (watch == NULL)
            return -1;
        watch->client = client;
        curl_multi_assign(client->multi, socket, watch);
    }
    int events =
        ((what & CURL_POLL_IN) != 0 ? EV_READ : 0) | ((what & CURL_POLL_OUT) != 0 ? EV_WRITE : 0);
    ev_io_init(&watch->readiness, on_ready, socket, events);
    watch->readiness.data = watch;
    ev_io_start(client->loop, &watch->readiness);
    return 0;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *context)
{
    struct http_call *call = context;
    body_text_add(&call->body, bytes, size * count);
    return call->body.overflowed ? 0 : size * count;
}

static size_t on_field(char *bytes, size_t size, size_t count, void *context)
{
    struct http_call *call = context;
    feed_last_read(bytes, size * count, &call->feed_last);
    return size * count;
}

/* Debian's libcurl 7.88.1 fails with error 16 when it uses a connection with prior knowledge of
 * HTTP/2 a second time, so each such call has its own. */
static bool set_version(CURL *easy, bool is_http2)
{
    long version = is_http2 ? CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE : CURL_HTTP_VERSION_1_1;
    long is_single = is_http2 ? 1 : 0;
    return curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, version) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, is_single) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, is_single) == CURLE_OK;
}

static bool set_body(struct http_call *call, const char *json)
{
    if (json == NULL)
        return true;
    call->fields = curl_slist_append(NULL, "content-type: application/json");
    return call->fields != NULL &&
           curl_easy_setopt(call->easy, CURLOPT_HTTPHEADER, call->fields) == CURLE_OK &&
           curl_easy_setopt(call->easy, CURLOPT_COPYPOSTFIELDS, json) == CURLE_OK;
}

static bool set_up(struct http_call *call, const struct http_call_plan *plan)
{
    CURL *easy = call->easy;
    return curl_easy_setopt(easy, CURLOPT_URL, plan->url) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PRIVATE, call) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http") == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PROXY, "") == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_TIMEOUT_MS) ==
               CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)plan->timeout_ms) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_WRITEDATA, call) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_field) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HEADERDATA, call) == CURLE_OK &&
           set_version(easy, plan->is_http2) && set_body(call, plan->post_json);
}

struct http_call *http_client_start(struct http_client *client, const struct http_call_plan *plan)
{
    struct http_call *call = calloc(1, sizeof(*call));
    if (call == NULL)
        return NULL;
    body_text_init(&call->body, plan->body_limit);
    call->client = client;
    call->feed_last = -1;
    call->on_answer = plan->on_answer;
    call->context = plan->context;
    call->easy = curl_easy_init();
    if (call->easy == NULL || !set_up(call, plan) ||
        curl_multi_add_handle(client->multi, call->easy) != CURLM_OK) {
        free_call(call);
        return NULL;
    }
    call->next = client->calls;
    if (call->next != NULL)
        call->next->previous = call;
    client->calls = call;
    return call;
}

struct http_client *http_client_new(struct ev_loop *loop)
{
    struct http_client *client = calloc(1, sizeof(*client));
    if (client == NULL)
        return NULL;
    client->loop = loop;
    ev_timer_init(&client->timer, on_timer, 0., 0.);
    client->timer.data = client;
    client->multi = curl_multi_init();
    if (client->multi != NULL &&
        curl_multi_setopt(client->multi, CURLMOPT_SOCKETFUNCTION, on_socket_changed) == CURLM_OK &&
        curl_multi_setopt(client->multi, CURLMOPT_SOCKETDATA, client) == CURLM_OK &&
        curl_multi_setopt(client->multi, CURLMOPT_TIMERFUNCTION, on_timeout_changed) == CURLM_OK &&
        curl_multi_setopt(client->multi, CURLMOPT_TIMERDATA, client) == CURLM_OK)
        return client;
    http_client_free(client);
    return NULL;
}

void http_client_free(struct http_client *client)
{
    if (client == NULL)
        return;
    while (client->calls != NULL)
        http_call_cancel(client->calls);
    curl_multi_cleanup(client->multi);
    ev_timer_stop(client->loop, &client->timer);
    free(client);
}
