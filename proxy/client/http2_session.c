#include "proxy/client/http2_internal.h"

#include <stdlib.h>

#include "proxy/core/array.h"

enum {
    STREAM_WINDOW_BYTES = 256 * 1024,
    CONNECTION_WINDOW_BYTES = 1024 * 1024,
};

/* --- draining ------------------------------------------------------------------------------ */

static void say_last_stream(struct http2_session *session)
{
    session->said_last_stream = true;
    nghttp2_submit_goaway(session->session, NGHTTP2_FLAG_NONE,
                          nghttp2_session_get_last_proc_stream_id(session->session),
                          NGHTTP2_NO_ERROR, NULL, 0);
    http2_flush_soon(session);
}

static void on_drain(struct deadline *deadline)
{
    say_last_stream(LIST_ENTRY(deadline, struct http2_session, drain));
}

/* Two GOAWAYs, so that no request crosses the first on its way (RFC 9113 section 6.8). */
static void session_drain(void *argument)
{
    struct http2_session *session = argument;
    if (session->draining)
        return;
    session->draining = true;
    nghttp2_submit_shutdown_notice(session->session);
    deadline_start(&http2_exchanges(session)->io->loop, &session->drain, CLIENT_DRAIN_NOTICE_MS);
}

static bool session_end(void *argument)
{
    struct http2_session *session = argument;
    nghttp2_session_terminate_session(session->session, NGHTTP2_NO_ERROR);
    return true;
}

/* --- the session --------------------------------------------------------------------------- */

/* Absolute for the whole block, so that single bytes do not prolong it (slowloris). */
static void watch_open_head(struct http2_session *session)
{
    if (session->open_head == 0)
        deadline_stop(&session->head);
    else if (!deadline_is_running(&session->head))
        deadline_start(&http2_exchanges(session)->io->loop, &session->head,
                       client_connection_limits(session->connection)->header_timeout_ms);
}

static void on_head_expired(struct deadline *deadline)
{
    struct http2_session *session = LIST_ENTRY(deadline, struct http2_session, head);
    client_connection_record_fault(session->connection, CLIENT_FAULT_HEAD_TIMEOUT);
    nghttp2_session_terminate_session(session->session, NGHTTP2_ENHANCE_YOUR_CALM);
    http2_flush_soon(session);
}

static bool session_receive(void *argument, struct buffer *buffer, const char *data, size_t length)
{
    struct http2_session *session = argument;
    session->connection->read_buffer = buffer;
    ssize_t result = 0;
    while (result >= 0 && length > 0) {
        size_t part = http2_rules_scan(&session->rules, data, length);
        result = nghttp2_session_mem_recv(session->session, (const uint8_t *)data, part);
        if (result >= 0 && part < length) {
            http2_end_with(session, http2_rules_check(session));
            result = nghttp2_session_mem_recv(session->session, (const uint8_t *)data + part, 1);
            part++;
        }
        data += part;
        length -= part;
    }
    session->connection->read_buffer = NULL;
    watch_open_head(session);
    if (result == NGHTTP2_ERR_FLOODED &&
        !session->sent_away) /* more is owed to it at once than is kept in mind */
        client_connection_note_excess(session->connection);
    return result >= 0;
}

static bool session_fill(void *argument)
{
    struct http2_session *session = argument;
    if (nghttp2_session_send(session->session) != 0)
        return false;
    if (session->said_last_stream && session->stream_count == 0)
        return false;
    return nghttp2_session_want_read(session->session) ||
           nghttp2_session_want_write(session->session);
}

static void session_free(void *argument)
{
    struct http2_session *session = argument;
    session->connection->facts.withdrawn = NULL; /* nothing of it will be asked for any more */
    while (!list_is_empty(&session->streams)) {
        struct http2_stream *stream = LIST_ENTRY(session->streams.next, struct http2_stream, node);
        nghttp2_session_set_stream_user_data(session->session, stream->id, NULL);
        http2_stream_free(stream);
    }
    deadline_stop(&session->drain);
    deadline_stop(&session->head);
    http2_rules_done(&session->rules);
    withdrawn_unref(session->withdrawn);
    nghttp2_session_del(session->session);
    free(session);
}

static bool session_wants_input(void *argument)
{
    const struct http2_session *session = argument;
    return !http2_output_is_stuck(session->session, &session->connection->bytes.output);
}

const struct client_session_methods http2_session_methods = {
    .receive = session_receive,
    .fill = session_fill,
    .wants_input = session_wants_input,
    .drain = session_drain,
    .end = session_end,
    .free = session_free,
};

/* NULL when memory is out. */
static nghttp2_session *nghttp2_new(struct http2_session *session)
{
    nghttp2_session_callbacks *callbacks;
    nghttp2_option *options;
    nghttp2_session *nghttp2 = NULL;
    if (nghttp2_session_callbacks_new(&callbacks) != 0)
        return NULL;
    if (nghttp2_option_new(&options) != 0) {
        nghttp2_session_callbacks_del(callbacks);
        return NULL;
    }
    http2_frames_set_callbacks(callbacks, options);
    nghttp2_option_set_no_auto_window_update(options, 1);
    nghttp2_option_set_max_send_header_block_length(options, HTTP2_HEADER_BLOCK_BYTES);
    nghttp2_mem memory = http2_memory_init(&session->memory, &http2_exchanges(session)->io->blocks);
    if (nghttp2_session_server_new3(&nghttp2, callbacks, session, options, &memory) != 0)
        nghttp2 = NULL;
    nghttp2_session_callbacks_del(callbacks);
    nghttp2_option_del(options);
    return nghttp2;
}

static bool say_settings(struct http2_session *session)
{
    const struct limits *limits = client_connection_limits(session->connection);
    const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, limits->streams},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, STREAM_WINDOW_BYTES},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, limits->header_bytes},
        {NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL, 1}, /* RFC 8441 */
        {NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1},
    };
    return nghttp2_submit_settings(session->session, NGHTTP2_FLAG_NONE, settings,
                                   sizeof(settings) / sizeof(settings[0])) == 0 &&
           nghttp2_session_set_local_window_size(session->session, NGHTTP2_FLAG_NONE, 0,
                                                 CONNECTION_WINDOW_BYTES) == 0;
}

struct http2_session *http2_session_new(struct client_connection *connection)
{
    struct http2_session *session = memory_zalloc(sizeof(*session));
    session->connection = connection;
    uint64_t now_ms = http2_exchanges(session)->io->loop.now_ms;
    http2_rules_init(&session->rules);
    allowance_init(&session->resets, RESETS_AT_ONCE, RESETS_A_SECOND, now_ms);
    allowance_init(&session->idle_frames, IDLE_FRAMES_AT_ONCE, IDLE_FRAMES_A_SECOND, now_ms);
    session->withdrawn = connection->facts.withdrawn = withdrawn_new();
    list_init(&session->streams);
    deadline_init(&session->drain, on_drain);
    deadline_init(&session->head, on_head_expired);
    session->session = nghttp2_new(session);
    if (session->session == NULL || !say_settings(session)) {
        session_free(session);
        return NULL;
    }
    client_connection_idle(connection);
    if (connection->environment->draining)
        session_drain(session);
    return session;
}
