#include "monolith_stub/web_server.h"

#include <errno.h>
#include <microhttpd.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "monolith_stub/site.h"

enum { STREAM_PART_BYTES = 16 * 1024, STREAM_PART_LIMIT = 16 * 1024 * 1024 };

struct web_server {
    struct MHD_Daemon *daemon;
    struct store_pool *pool;
    pthread_mutex_t lock;
    pthread_cond_t became_quiet;
    unsigned running; /* exchanges begun and not yet completed */
};

/* What is still to be sent of a streamed body. */
struct body_stream {
    struct reply_stream source;
    struct text part;
    size_t sent;
};

static void count_exchange(struct web_server *server, int change)
{
    pthread_mutex_lock(&server->lock);
    server->running += (unsigned)change;
    if (server->running == 0)
        pthread_cond_signal(&server->became_quiet);
    pthread_mutex_unlock(&server->lock);
}

/* Leaves the path as it came: what it means is for the routes to say. */
static size_t keep_escapes(void *context, struct MHD_Connection *connection, char *text)
{
    (void)context;
    (void)connection;
    return strlen(text);
}

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

static ssize_t on_body_wanted(void *context, uint64_t position, char *room, size_t room_size)
{
    (void)position;
    struct body_stream *stream = context;
    if (stream->sent == stream->part.length) {
        text_clear(&stream->part);
        stream->sent = 0;
        if (!stream->source.next(stream->source.context, &stream->part))
            return MHD_CONTENT_READER_END_WITH_ERROR;
        if (stream->part.length == 0)
            return MHD_CONTENT_READER_END_OF_STREAM;
    }
    size_t left = stream->part.length - stream->sent;
    size_t count = left < room_size ? left : room_size;
    memcpy(room, stream->part.bytes + stream->sent, count);
    stream->sent += count;
    return (ssize_t)count;
}

static void on_body_sent(void *context)
{
    struct body_stream *stream = context;
    stream->source.free(stream->source.context);
    text_done(&stream->part);
    free(stream);
}

static struct MHD_Response *stream_response(struct reply *reply)
{
    struct body_stream *stream = malloc(sizeof(*stream));
    if (stream == NULL)
        return NULL;
    *stream = (struct body_stream){.source = reply->stream};
    text_init(&stream->part, STREAM_PART_LIMIT);
    reply->stream = (struct reply_stream){0};
    struct MHD_Response *response = MHD_create_response_from_callback(
        MHD_SIZE_UNKNOWN, STREAM_PART_BYTES, on_body_wanted, stream, on_body_sent);
    if (response == NULL)
        on_body_sent(stream);
    return response;
}

static struct MHD_Response *text_response(struct reply *reply)
{
    size_t length = 0;
    char *bytes = text_take(&reply->body, &length);
    if (bytes == NULL)
        return NULL;
    struct MHD_Response *response =
        MHD_create_response_from_buffer(length, bytes, MHD_RESPMEM_MUST_FREE);
    if (response == NULL)
        free(bytes);
    return response;
}

static struct MHD_Response *build_response(struct reply *reply)
{
    struct MHD_Response *response =
        reply->stream.next != NULL ? stream_response(reply) : text_response(reply);
    if (response == NULL)
        return NULL;
    bool complete = reply->content_type == NULL ||
                    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
                                            reply->content_type) == MHD_YES;
    for (unsigned i = 0; complete && i < reply->allow_count; i++)
        complete =
            MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, reply->allow[i]) == MHD_YES;
    if (complete)
        return response;
    MHD_destroy_response(response);
    return NULL;
}

static enum MHD_Result answer(struct web_server *server, struct MHD_Connection *connection,
                              const char *url, const char *method, const char *version)
{
    struct request request = {.method = method, .path = request_path(url)};
    struct reply reply;
    reply_init(&reply);
    bool is_good = is_well_formed(connection, &request, version);
    if (is_good)
        site_answer(server->pool, &request, &reply);
    else
        reply_text(&reply, 400, "Bad Request");
    bool ends_connection = !is_good || (reply.stream.next != NULL && strcmp(method, "HEAD") == 0);
    struct MHD_Response *response = build_response(&reply);
    unsigned status = reply.status;
    reply_done(&reply);
    if (response == NULL)
        return MHD_NO;
    /* libmicrohttpd would put a last chunk after the head of a HEAD answer of unknown length. */
    if (ends_connection)
        MHD_set_response_options(response, MHD_RF_HTTP_1_0_COMPATIBLE_STRICT, MHD_RO_END);
    enum MHD_Result queued = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return queued;
}

/* Called when the head is there, then for each piece of a body, then once more at its end.
 * Answering only at the end keeps the connection usable after a body that nobody wanted. */
static enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_size, void **exchange)
{
    (void)upload;
    struct web_server *server = context;
    if (*exchange == NULL) {
        *exchange = server;
        count_exchange(server, 1);
        return MHD_YES;
    }
    if (*upload_size > 0) {
        *upload_size = 0;
        return MHD_YES;
    }
    return answer(server, connection, url, method, version);
}

static void on_completed(void *context, struct MHD_Connection *connection, void **exchange,
                         enum MHD_RequestTerminationCode reason)
{
    (void)connection;
    (void)reason;
    if (*exchange == NULL)
        return;
    *exchange = NULL;
    count_exchange(context, -1);
}

static struct MHD_Daemon *start_daemon(struct web_server *server, int listen_socket)
{
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ITC;
    return MHD_start_daemon(
        flags, 0, NULL, NULL, on_request, server, MHD_OPTION_LISTEN_SOCKET, listen_socket,
        MHD_OPTION_THREAD_POOL_SIZE, (unsigned)WEB_SERVER_THREADS, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)WEB_SERVER_CONNECTIONS, MHD_OPTION_CONNECTION_TIMEOUT,
        (unsigned)WEB_SERVER_IDLE_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)WEB_SERVER_CONNECTION_BYTES, MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, NULL,
        MHD_OPTION_NOTIFY_COMPLETED, on_completed, server, MHD_OPTION_END);
}

struct web_server *web_server_new(struct store_pool *pool, int take_listen_socket)
{
    struct web_server *server = calloc(1, sizeof(*server));
    if (server == NULL) {
        close(take_listen_socket);
        return NULL;
    }
    server->pool = pool;
    pthread_mutex_init(&server->lock, NULL);
    pthread_cond_init(&server->became_quiet, NULL);
    server->daemon = start_daemon(server, take_listen_socket);
    if (server->daemon == NULL) {
        fputs("monolith_stub: cannot start the web server\n", stderr);
        close(take_listen_socket);
        web_server_free(server);
        return NULL;
    }
    return server;
}

static void wait_until_quiet(struct web_server *server)
{
    struct timespec deadline;
    clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_sec += WEB_SERVER_STOP_MS / 1000;
    pthread_mutex_lock(&server->lock);
    int outcome = 0;
    while (server->running > 0 && outcome != ETIMEDOUT)
        outcome = pthread_cond_timedwait(&server->became_quiet, &server->lock, &deadline);
    pthread_mutex_unlock(&server->lock);
}

void web_server_free(struct web_server *server)
{
    if (server == NULL)
        return;
    if (server->daemon != NULL) {
        int listen_socket = MHD_quiesce_daemon(server->daemon);
        wait_until_quiet(server);
        MHD_stop_daemon(server->daemon);
        if (listen_socket >= 0)
            close(listen_socket);
    }
    pthread_cond_destroy(&server->became_quiet);
    pthread_mutex_destroy(&server->lock);
    free(server);
}
