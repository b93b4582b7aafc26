#include "proxy/http2/http2_output.h"

enum { OUTBOUND_FRAMES_MAX = 1000 };

size_t http2_fields_to_nv(const struct headers *headers, nghttp2_nv *nv, size_t count)
{
    for (uint32_t i = 0; i < headers->count; i++) {
        const struct header_field *field = &headers->fields[i];
        nv[count++] = (nghttp2_nv){
            .name = (uint8_t *)(uintptr_t)field->name.data,
            .namelen = field->name.length,
            .value = (uint8_t *)(uintptr_t)field->value.data,
            .valuelen = field->value.length,
            .flags = NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE,
        };
    }
    return count;
}

void http2_body_init(struct http2_body *body, struct buffer_pool *pool, struct arena *arena)
{
    *body = (struct http2_body){.arena = arena};
    byte_queue_init(&body->queue, pool);
}

void http2_body_done(struct http2_body *body)
{
    byte_queue_done(&body->queue);
}

static void wake(struct http2_body *body, nghttp2_session *session, int32_t id)
{
    if (!body->waits)
        return;
    body->waits = false;
    nghttp2_session_resume_data(session, id);
}

void http2_body_append(struct http2_body *body, nghttp2_session *session, int32_t id,
                       struct buffer *source, const char *data, size_t length)
{
    byte_queue_append_slice(&body->queue, source, data, length);
    wake(body, session, id);
}

void http2_body_end(struct http2_body *body, nghttp2_session *session, int32_t id,
                    const struct headers *trailers)
{
    body->ended = true;
    body->trailers = trailers;
    wake(body, session, id);
}

static void submit_trailers(struct http2_body *body, nghttp2_session *session, int32_t id,
                            uint32_t *flags)
{
    if (body->trailers == NULL || body->trailers->count == 0)
        return;
    nghttp2_nv *nv = arena_alloc(body->arena, body->trailers->count * sizeof(*nv));
    size_t count = http2_fields_to_nv(body->trailers, nv, 0);
    /* Copied: the message may be given up before nghttp2 has come to these. And not for its table,
     * which is not in use where heads are compressed by an encoder of ours. */
    for (size_t i = 0; i < count; i++)
        nv[i].flags = NGHTTP2_NV_FLAG_NO_INDEX;
    *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM; /* the trailers carry it */
    nghttp2_submit_trailer(session, id, nv, count);
}

size_t http2_body_frame_bytes(const struct http2_body *body, const struct byte_stream *bytes,
                              size_t length)
{
    if (bytes->tls == NULL || body->queue.bytes <= length)
        return length;
    size_t room = IO_TLS_RECORD_BYTES - IO_FRAME_HEAD_BYTES - byte_queue_small_end(&bytes->output);
    size_t piece = byte_queue_first_length(&body->queue);
    if (piece >= BYTE_QUEUE_SHARE_BYTES && piece < room)
        room = piece;
    return length < room ? length : room;
}

ssize_t http2_body_read(struct http2_body *body, nghttp2_session *session, int32_t id,
                        size_t length, uint32_t *flags)
{
    size_t part = length < body->queue.bytes ? length : body->queue.bytes;
    *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
    if (part == body->queue.bytes && body->ended) {
        *flags |= NGHTTP2_DATA_FLAG_EOF;
        body->sent = true;
        submit_trailers(body, session, id, flags);
        return (ssize_t)part;
    }
    if (part > 0)
        return (ssize_t)part;
    body->waits = true;
    return NGHTTP2_ERR_DEFERRED;
}

ssize_t http2_output_frame(struct byte_queue *output, const uint8_t *data, size_t length)
{
    if (output->bytes >= BYTE_STREAM_OUTPUT_BYTES)
        return NGHTTP2_ERR_WOULDBLOCK;
    byte_queue_append(output, data, length);
    return (ssize_t)length;
}

bool http2_output_is_stuck(nghttp2_session *session, const struct byte_queue *output)
{
    return output->bytes > 0 &&
           nghttp2_session_get_outbound_queue_size(session) > OUTBOUND_FRAMES_MAX;
}

int http2_output_data(struct byte_queue *output, struct http2_body *body, const uint8_t *frame_head,
                      size_t length)
{
    if (output->bytes >= BYTE_STREAM_OUTPUT_BYTES)
        return NGHTTP2_ERR_WOULDBLOCK;
    byte_queue_append(output, frame_head, IO_FRAME_HEAD_BYTES);
    byte_queue_move(output, &body->queue, length);
    return 0;
}
