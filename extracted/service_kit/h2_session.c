#include "extracted/service_kit/h2_session.h"

/* Only what ends the session is an error to nghttp2's callbacks. */
static int callback_outcome(int outcome)
{
    return nghttp2_is_fatal(outcome) ? NGHTTP2_ERR_CALLBACK_FAILURE : 0;
}

static void hold(struct h2_waiting *waiting, struct h2_stream *stream)
{
    if (stream->is_waiting)
        return;
    stream->is_waiting = true;
    stream->next_waiting = waiting->first;
    if (stream->next_waiting != NULL)
        stream->next_waiting->previous_waiting = stream;
    waiting->first = stream;
    waiting->count++;
}

static void let_go(struct h2_waiting *waiting, struct h2_stream *stream)
{
    if (!stream->is_waiting)
        return;
    stream->is_waiting = false;
    if (stream->next_waiting != NULL)
        stream->next_waiting->previous_waiting = stream->previous_waiting;
    if (stream->previous_waiting != NULL)
        stream->previous_waiting->next_waiting = stream->next_waiting;
    else
        waiting->first = stream->next_waiting;
    stream->next_waiting = NULL;
    stream->previous_waiting = NULL;
    waiting->count--;
}

static int answer(struct h2_session *session, struct h2_stream *stream, bool is_last_call)
{
    const struct h2_turn *turn = session->turn;
    if (!h2_stream_make_reply(stream, turn->service, turn->now, is_last_call)) {
        hold(turn->waiting, stream);
        return 0;
    }
    let_go(turn->waiting, stream);
    session->reply_bytes += stream->reply.body.length;
    return callback_outcome(h2_stream_submit(stream, session->protocol, turn->date));
}

static int answer_first(struct h2_session *session, struct h2_stream *stream)
{
    const struct h2_waiting *waiting = session->turn->waiting;
    return answer(session, stream, waiting->count >= H2_WAITING);
}

bool h2_session_ask_again(struct h2_stream *stream, bool is_last_call)
{
    return answer(stream->session, stream, is_last_call) == 0;
}

static int answer_if_due(struct h2_session *session, struct h2_stream *stream)
{
    if (stream->is_deferred || stream->is_waiting || !h2_stream_is_due(stream))
        return 0;
    if (session->reply_bytes < H2_REPLY_BACKLOG)
        return answer_first(session, stream);
    stream->is_deferred = true;
    session->deferred_count++;
    return 0;
}

/* A client that asks for much and reads little gets its replies one after the other. */
static bool answer_deferred(struct h2_session *session)
{
    struct h2_stream *stream = session->streams;
    while (stream != NULL && session->deferred_count > 0 &&
           session->reply_bytes < H2_REPLY_BACKLOG) {
        if (stream->is_deferred) {
            stream->is_deferred = false;
            session->deferred_count--;
            if (answer_first(session, stream) != 0)
                return false;
        }
        stream = stream->next;
    }
    return true;
}

static void link_stream(struct h2_session *session, struct h2_stream *stream)
{
    stream->previous = session->last_stream;
    if (stream->previous != NULL)
        stream->previous->next = stream;
    else
        session->streams = stream;
    session->last_stream = stream;
}

static void drop_stream(struct h2_session *session, struct h2_stream *stream)
{
    if (stream->next != NULL)
        stream->next->previous = stream->previous;
    else
        session->last_stream = stream->previous;
    if (stream->previous != NULL)
        stream->previous->next = stream->next;
    else
        session->streams = stream->next;
    let_go(session->turn->waiting, stream);
    session->reply_bytes -= stream->answered ? stream->reply.body.length : 0;
    session->deferred_count -= stream->is_deferred ? 1 : 0;
    h2_stream_free(stream);
}

static int on_begin_headers(nghttp2_session *protocol, const nghttp2_frame *frame, void *context)
{
    if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST)
        return 0;
    struct h2_stream *stream = h2_stream_new(frame->hd.stream_id);
    if (stream == NULL)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    if (nghttp2_session_set_stream_user_data(protocol, frame->hd.stream_id, stream) != 0) {
        h2_stream_free(stream);
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    }
    stream->session = context;
    link_stream(context, stream);
    return 0;
}

static int on_header(nghttp2_session *protocol, const nghttp2_frame *frame, nghttp2_rcbuf *name,
                     nghttp2_rcbuf *value, uint8_t flags, void *context)
{
    (void)flags;
    (void)context;
    struct h2_stream *stream = nghttp2_session_get_stream_user_data(protocol, frame->hd.stream_id);
    if (stream != NULL)
        h2_stream_add_field(stream, name, value);
    return 0;
}

static int on_data(nghttp2_session *protocol, uint8_t flags, int32_t stream_id,
                   const uint8_t *bytes, size_t length, void *context)
{
    (void)flags;
    struct h2_stream *stream = nghttp2_session_get_stream_user_data(protocol, stream_id);
    if (stream == NULL)
        return 0;
    h2_stream_add_body(stream, bytes, length);
    return answer_if_due(context, stream);
}

/* A client that opens and resets streams without end costs more than it may. */
static int count_reset(struct h2_session *session)
{
    double now = session->turn->now;
    session->reset_budget += (now - session->reset_counted_at) * H2_RESET_PER_S;
    session->reset_counted_at = now;
    if (session->reset_budget > H2_RESET_BURST)
        session->reset_budget = H2_RESET_BURST;
    session->reset_budget -= 1;
    if (session->reset_budget >= 0)
        return 0;
    return nghttp2_session_terminate_session(session->protocol, NGHTTP2_ENHANCE_YOUR_CALM);
}

static int on_request_frame(struct h2_session *session, const nghttp2_frame *frame)
{
    int32_t id = frame->hd.stream_id;
    struct h2_stream *stream = nghttp2_session_get_stream_user_data(session->protocol, id);
    if (stream == NULL)
        return 0;
    if (frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST)
        h2_stream_end_head(stream, session->turn->service);
    if ((frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0)
        stream->request_ended = true;
    int outcome = answer_if_due(session, stream);
    if (outcome != 0)
        return outcome;
    return callback_outcome(h2_stream_invite_body(stream, session->protocol));
}

static int on_frame(nghttp2_session *protocol, const nghttp2_frame *frame, void *context)
{
    (void)protocol;
    struct h2_session *session = context;
    switch (frame->hd.type) {
    case NGHTTP2_HEADERS:
    case NGHTTP2_DATA:
        return on_request_frame(session, frame);
    case NGHTTP2_RST_STREAM:
        return count_reset(session);
    case NGHTTP2_PING:
        if ((frame->hd.flags & NGHTTP2_FLAG_ACK) != 0)
            h2_session_say_goodbye(session);
        return 0;
    default:
        return 0;
    }
}

/* RFC 9113 section 8.1: a reply that came before the end of its request stops the request. */
static int on_frame_sent(nghttp2_session *protocol, const nghttp2_frame *frame, void *context)
{
    (void)context;
    bool ends_reply = (frame->hd.type == NGHTTP2_DATA || frame->hd.type == NGHTTP2_HEADERS) &&
                      (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    if (!ends_reply)
        return 0;
    struct h2_stream *stream = nghttp2_session_get_stream_user_data(protocol, frame->hd.stream_id);
    if (stream == NULL || stream->request_ended)
        return 0;
    return nghttp2_submit_rst_stream(protocol, NGHTTP2_FLAG_NONE, frame->hd.stream_id,
                                     NGHTTP2_NO_ERROR);
}

static int on_stream_close(nghttp2_session *protocol, int32_t stream_id, uint32_t error_code,
                           void *context)
{
    (void)error_code;
    struct h2_stream *stream = nghttp2_session_get_stream_user_data(protocol, stream_id);
    if (stream != NULL)
        drop_stream(context, stream);
    return 0;
}

static bool new_protocol(struct h2_session *session)
{
    nghttp2_session_callbacks *callbacks = NULL;
    nghttp2_option *option = NULL;
    bool made = false;
    if (nghttp2_session_callbacks_new(&callbacks) == 0 && nghttp2_option_new(&option) == 0) {
        nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
        nghttp2_session_callbacks_set_on_header_callback2(callbacks, on_header);
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
        nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
        nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, on_frame_sent);
        nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
        made = nghttp2_session_server_new2(&session->protocol, callbacks, session, option) == 0;
    }
    nghttp2_option_del(option);
    nghttp2_session_callbacks_del(callbacks);
    return made;
}

static bool submit_settings(struct h2_session *session)
{
    static const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, H2_STREAMS},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, H2_STREAM_WINDOW},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, H2_HEAD_LIMIT},
        {NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1},
    };
    return nghttp2_submit_settings(session->protocol, NGHTTP2_FLAG_NONE, settings,
                                   sizeof(settings) / sizeof(settings[0])) == 0 &&
           nghttp2_session_set_local_window_size(session->protocol, NGHTTP2_FLAG_NONE, 0,
                                                 H2_CONNECTION_WINDOW) == 0;
}

bool h2_session_init(struct h2_session *session, const struct h2_turn *turn)
{
    *session = (struct h2_session){
        .turn = turn, .reset_budget = H2_RESET_BURST, .reset_counted_at = turn->now};
    if (new_protocol(session) && submit_settings(session))
        return true;
    h2_session_done(session);
    return false;
}

/* nghttp2 reports no closed streams when a session is deleted. */
void h2_session_done(struct h2_session *session)
{
    nghttp2_session_del(session->protocol);
    session->protocol = NULL;
    while (session->streams != NULL)
        drop_stream(session, session->streams);
}

bool h2_session_receive(struct h2_session *session, const uint8_t *bytes, size_t length)
{
    return nghttp2_session_mem_recv(session->protocol, bytes, length) == (ssize_t)length;
}

bool h2_session_send(struct h2_session *session, struct body_text *out, size_t enough)
{
    if (!answer_deferred(session))
        return false;
    while (out->length < enough) {
        const uint8_t *bytes = NULL;
        ssize_t length = nghttp2_session_mem_send(session->protocol, &bytes);
        if (length < 0)
            return false;
        if (length == 0)
            return true;
        body_text_add(out, bytes, (size_t)length);
        if (out->overflowed)
            return false;
    }
    return true;
}

bool h2_session_wants_send(const struct h2_session *session)
{
    bool can_answer = session->deferred_count > 0 && session->reply_bytes < H2_REPLY_BACKLOG;
    return can_answer || nghttp2_session_want_write(session->protocol) != 0;
}

/* After the announcement alone nghttp2 sees no reason to read on, but a request may be coming. */
bool h2_session_is_over(const struct h2_session *session)
{
    return session->goodbye != H2_GOODBYE_ANNOUNCED &&
           nghttp2_session_want_read(session->protocol) == 0 &&
           nghttp2_session_want_write(session->protocol) == 0;
}

/* If memory runs out here, the client finds out when the connection closes. */
void h2_session_announce_goodbye(struct h2_session *session)
{
    if (session->goodbye != H2_GOODBYE_NONE)
        return;
    bool submitted = nghttp2_submit_shutdown_notice(session->protocol) == 0 &&
                     nghttp2_submit_ping(session->protocol, NGHTTP2_FLAG_NONE, NULL) == 0;
    session->goodbye = submitted ? H2_GOODBYE_ANNOUNCED : H2_GOODBYE_SAID;
}

void h2_session_say_goodbye(struct h2_session *session)
{
    if (session->goodbye != H2_GOODBYE_ANNOUNCED)
        return;
    session->goodbye = H2_GOODBYE_SAID;
    int32_t last_stream = nghttp2_session_get_last_proc_stream_id(session->protocol);
    nghttp2_submit_goaway(session->protocol, NGHTTP2_FLAG_NONE, last_stream, NGHTTP2_NO_ERROR, NULL,
                          0);
}
