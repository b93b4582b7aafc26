#include "monolith_stub/web_exchange.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "monolith_stub/clock.h"
#include "monolith_stub/job_pool.h"
#include "monolith_stub/site.h"
#include "monolith_stub/suspensions.h"
#include "monolith_stub/waiting_room.h"
#include "monolith_stub/web_response.h"

enum { QUERY_LIMIT = 8 * 1024 };

enum state {
    STATE_ARRIVING, /* head and body */
    STATE_HELD,     /* suspended until the latency is over, then to be answered */
    STATE_WORKING,  /* suspended while another thread answers */
    STATE_WAITING,  /* suspended until there is news, then to be answered again */
};

struct web_exchange {
    const struct web_context *context;
    struct MHD_Connection *connection;
    enum state state;
    bool wants_body;
    bool is_good;
    struct request request;
    struct text query;
    struct text body;
    struct reply reply;
    struct waiter waiter;
};

/* RFC 9112 section 3.2.2: a server has to accept the absolute form too. */
static struct text_view request_path(const char *url)
{
    static const char scheme[] = "http://";
    if (strncasecmp(url, scheme, strlen(scheme)) == 0) {
        url += strlen(scheme);
        url += strcspn(url, "/");
        if (*url == 0)
            url = "/";
    }
    return (struct text_view){url, strlen(url)};
}

static enum MHD_Result count_host(void *context, enum MHD_ValueKind kind, const char *name,
                                  const char *value)
{
    (void)kind;
    (void)value;
    unsigned *count = context;
    if (strcasecmp(name, MHD_HTTP_HEADER_HOST) == 0)
        (*count)++;
    return MHD_YES;
}

static bool has_field(struct MHD_Connection *connection, const char *name)
{
    return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name) != NULL;
}

/* RFC 9112: one Host field from HTTP/1.1 on (section 3.2), no blanks within the path, and not
 * two claims about the body's length (section 6.1). */
static bool is_well_formed(struct MHD_Connection *connection, const struct request *request,
                           const char *version)
{
    for (size_t i = 0; i < request->path.length; i++) {
        unsigned char byte = (unsigned char)request->path.bytes[i];
        if (byte <= ' ' || byte == 0x7f)
            return false;
    }
    if (has_field(connection, MHD_HTTP_HEADER_TRANSFER_ENCODING) &&
        has_field(connection, MHD_HTTP_HEADER_CONTENT_LENGTH))
        return false;
    unsigned hosts = 0;
    MHD_get_connection_values(connection, MHD_HEADER_KIND, count_host, &hosts);
    return hosts == 1 || (hosts == 0 && strcmp(version, MHD_HTTP_VERSION_1_0) == 0);
}

/* The server has split the query already; it is put together again as it came. */
static enum MHD_Result append_query(void *context, enum MHD_ValueKind kind, const char *name,
                                    const char *value)
{
    (void)kind;
    struct text *query = context;
    text_append(query, "&", query->length > 0 ? 1 : 0);
    text_append_string(query, name);
    if (value != NULL) {
        text_append_string(query, "=");
        text_append_string(query, value);
    }
    return MHD_YES;
}

static const char *field(const struct web_exchange *exchange, const char *name)
{
    return MHD_lookup_connection_value(exchange->connection, MHD_HEADER_KIND, name);
}

struct web_exchange *web_exchange_new(const struct web_context *context,
                                      struct MHD_Connection *connection, const char *method,
                                      const char *url)
{
    struct web_exchange *exchange = malloc(sizeof(*exchange));
    if (exchange == NULL)
        return NULL;
    *exchange = (struct web_exchange){
        .context = context,
        .connection = connection,
        .request = {.method = method, .path = request_path(url)},
    };
    text_init(&exchange->query, QUERY_LIMIT);
    text_init(&exchange->body, REQUEST_BODY_LIMIT);
    reply_init(&exchange->reply);
    exchange->wants_body = site_find_route(&exchange->request);
    return exchange;
}

void web_exchange_free(struct web_exchange *exchange)
{
    reply_done(&exchange->reply);
    text_done(&exchange->query);
    text_done(&exchange->body);
    free(exchange);
}

void web_exchange_take_body(struct web_exchange *exchange, const char *bytes, size_t length)
{
    if (exchange->wants_body)
        text_append(&exchange->body, bytes, length);
}

/* What only routes of face 2.0 look at. */
static void read_details(struct web_exchange *exchange)
{
    struct request *request = &exchange->request;
    MHD_get_connection_values(exchange->connection, MHD_GET_ARGUMENT_KIND, append_query,
                              &exchange->query);
    request->query = (struct text_view){exchange->query.bytes, exchange->query.length};
    request->body_is_too_large = exchange->body.failed;
    if (!exchange->body.failed)
        request->body = (struct text_view){exchange->body.bytes, exchange->body.length};
    request->content_type = field(exchange, MHD_HTTP_HEADER_CONTENT_TYPE);
    request->cookie = field(exchange, MHD_HTTP_HEADER_COOKIE);
    request->host = field(exchange, MHD_HTTP_HEADER_HOST);
    request->origin = field(exchange, MHD_HTTP_HEADER_ORIGIN);
    request->forwarded_proto = field(exchange, "X-Forwarded-Proto");
    request->began_ms = clock_steady_ms();
}

static bool suspend(struct web_exchange *exchange, enum state state)
{
    if (!suspensions_begin(exchange->context->suspensions, exchange->connection))
        return false;
    exchange->state = state;
    return true;
}

/* The exchange may be gone when this returns. */
static void resume(struct web_exchange *exchange)
{
    suspensions_end(exchange->context->suspensions, exchange->connection);
}

static void on_wait_over(void *context)
{
    resume(context);
}

/* False: nothing is waited for any more. */
static bool wait_for(struct web_exchange *exchange, enum state state, struct reply_wait wait)
{
    exchange->waiter = (struct waiter){.deadline_ms = wait.deadline_ms,
                                       .feeds = wait.feeds,
                                       .seen = wait.seen,
                                       .wake = on_wait_over,
                                       .context = exchange};
    if (!suspend(exchange, state))
        return false;
    waiting_room_enter(exchange->context->forum->room, &exchange->waiter);
    return true;
}

static void answer_elsewhere(void *context)
{
    struct web_exchange *exchange = context;
    site_answer(exchange->context->forum, &exchange->request, &exchange->reply);
    resume(exchange);
}

/* Answers here, or leaves it to a thread of the right pool; from then on the exchange is that
 * thread's until the connection is resumed. True: the reply is there. */
static bool answer_or_delegate(struct web_exchange *exchange)
{
    const struct web_context *context = exchange->context;
    struct job_pool *pool = NULL;
    switch (site_work(context->forum, &exchange->request)) {
    case WORK_AT_ONCE:
        site_answer(context->forum, &exchange->request, &exchange->reply);
        return true;
    case WORK_WRITES:
        pool = context->writes;
        break;
    case WORK_PASSWORD:
        pool = context->passwords;
        break;
    }
    if (!suspend(exchange, STATE_WORKING)) {
        site_answer_busy(&exchange->request, &exchange->reply);
        return true;
    }
    if (!job_pool_add(pool, answer_elsewhere, exchange)) {
        site_answer_busy(&exchange->request, &exchange->reply);
        resume(exchange);
    }
    return false;
}

static enum MHD_Result send_reply(struct web_exchange *exchange)
{
    struct reply *reply = &exchange->reply;
    bool ends_connection = !exchange->is_good || (reply->stream.next != NULL &&
                                                  strcmp(exchange->request.method, "HEAD") == 0);
    struct MHD_Response *response = web_response_new(reply);
    if (response == NULL)
        return MHD_NO;
    /* libmicrohttpd would put a last chunk after the head of a HEAD answer of unknown length. */
    if (ends_connection)
        MHD_set_response_options(response, MHD_RF_HTTP_1_0_COMPATIBLE_STRICT, MHD_RO_END);
    enum MHD_Result queued = MHD_queue_response(exchange->connection, reply->status, response);
    MHD_destroy_response(response);
    return queued;
}

/* A reply that has nothing to say yet waits for news. */
static enum MHD_Result finish(struct web_exchange *exchange)
{
    if (exchange->reply.wait.feeds == 0)
        return send_reply(exchange);
    struct reply_wait wait = exchange->reply.wait;
    reply_done(&exchange->reply);
    reply_init(&exchange->reply);
    if (wait_for(exchange, STATE_WAITING, wait))
        return MHD_YES;
    site_answer_busy(&exchange->request, &exchange->reply);
    return send_reply(exchange);
}

/* True: the reply is there. */
static bool begin(struct web_exchange *exchange, const char *version)
{
    exchange->is_good = is_well_formed(exchange->connection, &exchange->request, version);
    if (!exchange->is_good) {
        reply_text(&exchange->reply, 400, "Bad Request");
        return true;
    }
    if (site_wants_details(&exchange->request))
        read_details(exchange);
    uint32_t latency_ms = site_latency_ms(exchange->context->forum, &exchange->request);
    if (latency_ms == 0)
        return answer_or_delegate(exchange);
    struct reply_wait wait = {.deadline_ms = clock_steady_ms() + latency_ms};
    return !wait_for(exchange, STATE_HELD, wait) && answer_or_delegate(exchange);
}

enum MHD_Result web_exchange_run(struct web_exchange *exchange, const char *version)
{
    bool is_answered = false;
    switch (exchange->state) {
    case STATE_ARRIVING:
        is_answered = begin(exchange, version);
        break;
    case STATE_HELD:
    case STATE_WAITING:
        is_answered = answer_or_delegate(exchange);
        break;
    case STATE_WORKING:
        is_answered = true;
        break;
    }
    return is_answered ? finish(exchange) : MHD_YES;
}
