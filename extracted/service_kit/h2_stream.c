#include "extracted/service_kit/h2_stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "extracted/service_kit/face.h"
#include "extracted/service_kit/problem.h"

enum { FIELD_OVERHEAD = 32, REPLY_FIELDS = 4 + HTTP_ALLOW + HTTP_FIELDS };

struct h2_stream *h2_stream_new(int32_t id)
{
    struct h2_stream *stream = calloc(1, sizeof(*stream));
    if (stream == NULL)
        return NULL;
    stream->id = id;
    body_text_init(&stream->cookies, H2_HEAD_LIMIT);
    http_reply_init(&stream->reply);
    return stream;
}

static void release(nghttp2_rcbuf *buffer)
{
    if (buffer != NULL)
        nghttp2_rcbuf_decref(buffer);
}

void h2_stream_free(struct h2_stream *stream)
{
    release(stream->method);
    release(stream->path);
    release(stream->authority);
    release(stream->content_type);
    release(stream->origin);
    release(stream->forwarded_proto);
    body_text_done(&stream->cookies);
    body_text_done(&stream->body);
    http_reply_done(&stream->reply);
    free(stream);
}

static struct http_view view(nghttp2_rcbuf *buffer)
{
    if (buffer == NULL)
        return (struct http_view){"", 0};
    nghttp2_vec bytes = nghttp2_rcbuf_get_buf(buffer);
    return (struct http_view){(const char *)bytes.base, bytes.len};
}

static void keep(nghttp2_rcbuf **slot, nghttp2_rcbuf *value)
{
    release(*slot);
    nghttp2_rcbuf_incref(value);
    *slot = value;
}

/* RFC 9113 section 8.2.3: a cookie field may come in pieces. */
static void add_cookie(struct h2_stream *stream, struct http_view value)
{
    if (stream->cookies.length > 0)
        body_text_add_string(&stream->cookies, "; ");
    body_text_add(&stream->cookies, value.bytes, value.length);
}

void h2_stream_add_field(struct h2_stream *stream, nghttp2_rcbuf *name, nghttp2_rcbuf *value)
{
    struct http_view field = view(name);
    stream->head_bytes += field.length + view(value).length + FIELD_OVERHEAD;
    if (stream->head_bytes > H2_HEAD_LIMIT)
        return;
    if (http_view_equals(field, ":method"))
        keep(&stream->method, value);
    else if (http_view_equals(field, ":path"))
        keep(&stream->path, value);
    else if (http_view_equals(field, ":authority"))
        keep(&stream->authority, value);
    else if (http_view_equals(field, "content-type"))
        keep(&stream->content_type, value);
    else if (http_view_equals(field, "origin"))
        keep(&stream->origin, value);
    else if (http_view_equals(field, "x-forwarded-proto"))
        keep(&stream->forwarded_proto, value);
    else if (http_view_equals(field, "cookie"))
        add_cookie(stream, view(value));
    else if (http_view_equals(field, "expect"))
        stream->expects_continue = http_view_equals(view(value), "100-continue");
}

void h2_stream_end_head(struct h2_stream *stream, const struct h2_service *service)
{
    router_read_target(&stream->request, view(stream->method), view(stream->path));
    stream->request.authority = view(stream->authority);
    stream->request.content_type = view(stream->content_type);
    stream->request.origin = view(stream->origin);
    stream->request.forwarded_proto = view(stream->forwarded_proto);
    stream->request.cookies = (struct http_view){stream->cookies.bytes, stream->cookies.length};
    stream->route = router_find(&service->router, &stream->request);
    body_text_init(&stream->body, stream->route != NULL ? stream->route->body_limit : 0);
}

static nghttp2_nv reply_field(const char *constant_name, const char *value, uint8_t flags)
{
    return (nghttp2_nv){.name = (uint8_t *)constant_name,
                        .value = (uint8_t *)value,
                        .namelen = strlen(constant_name),
                        .valuelen = strlen(value),
                        .flags = (uint8_t)(NGHTTP2_NV_FLAG_NO_COPY_NAME | flags)};
}

int h2_stream_invite_body(struct h2_stream *stream, nghttp2_session *session)
{
    if (!stream->expects_continue || stream->request_ended || stream->answered)
        return 0;
    stream->expects_continue = false;
    nghttp2_nv status = reply_field(":status", "100", NGHTTP2_NV_FLAG_NO_COPY_VALUE);
    return nghttp2_submit_headers(session, NGHTTP2_FLAG_NONE, stream->id, NULL, &status, 1, NULL);
}

void h2_stream_add_body(struct h2_stream *stream, const uint8_t *bytes, size_t length)
{
    bool wanted = stream->route != NULL && stream->route->body_limit > 0 && !stream->answered;
    if (wanted)
        body_text_add(&stream->body, bytes, length);
}

bool h2_stream_is_due(const struct h2_stream *stream)
{
    bool too_large = stream->head_bytes > H2_HEAD_LIMIT || stream->body.overflowed;
    return !stream->answered && (stream->request_ended || too_large);
}

/* Routes of face 2.0 say themselves what is too large, after what has to be said before. */
static bool answers_too_large(const struct http_route *route)
{
    return strncmp(route->pattern, "/api/2.0/", strlen("/api/2.0/")) == 0 ||
           strncmp(route->pattern, "/forum/", strlen("/forum/")) == 0;
}

static void make_reply(struct h2_stream *stream, const struct h2_service *service)
{
    struct http_reply *reply = &stream->reply;
    struct http_request *request = &stream->request;
    if (stream->head_bytes > H2_HEAD_LIMIT)
        http_reply_text(reply, 431, "Request Header Fields Too Large");
    else if (stream->route == NULL)
        router_refuse(&service->router, request, reply);
    else if (request->body_is_too_large && !answers_too_large(stream->route))
        http_reply_text(reply, 413, "Content Too Large");
    else
        stream->route->answer(service->database, request, reply);
}

static uint32_t random_number(void)
{
    uint32_t number = 0;
    (void)!getentropy(&number, sizeof(number));
    return number;
}

/* True: the reply waits. */
static bool hold_back(struct h2_stream *stream, const struct knobs *knobs, const char *pattern)
{
    uint32_t delay_ms = knobs_delay_ms(knobs, pattern, random_number());
    if (delay_ms == 0 || stream->request.is_last_call)
        return false;
    stream->stage = H2_STAGE_HELD;
    stream->reply.wait = HTTP_WAIT_TIME;
    stream->reply.wait_until = stream->request.now + delay_ms / 1000.;
    return true;
}

/* True: the reply is made. */
static bool fail(struct h2_stream *stream, const struct knobs *knobs, const char *pattern)
{
    if (!knobs_fails(knobs, pattern, random_number()))
        return false;
    problem_reply(&stream->reply, &(struct problem){.status = 500,
                                                    .title = "Internal Server Error",
                                                    .detail = "It fails on purpose: --fail."});
    return true;
}

/* The faults that are made on purpose, before anything is done. True: the reply waits, or is
 * made. */
static bool meddle(struct h2_stream *stream, const struct knobs *knobs)
{
    const char *pattern = stream->route != NULL ? stream->route->pattern : NULL;
    bool is_new = stream->stage == H2_STAGE_NEW;
    stream->stage = H2_STAGE_ASKED;
    stream->reply.bug = knobs->bug;
    if (!knobs_are_set(knobs))
        return false;
    return (is_new && hold_back(stream, knobs, pattern)) || fail(stream, knobs, pattern);
}

bool h2_stream_make_reply(struct h2_stream *stream, const struct h2_service *service, double now,
                          bool is_last_call)
{
    struct http_reply *reply = &stream->reply;
    if (stream->stage != H2_STAGE_ASKED)
        stream->request.arrived = now;
    reply->wait = HTTP_WAIT_NONE;
    reply->is_woken = false;
    stream->request.state = service->state;
    stream->request.now = now;
    stream->request.is_last_call = is_last_call;
    stream->request.body_is_too_large = stream->body.overflowed;
    if (!stream->body.overflowed)
        stream->request.body = (struct http_view){stream->body.bytes, stream->body.length};
    bool is_settled = stream->stage != H2_STAGE_ASKED && meddle(stream, &service->knobs);
    if (!is_settled)
        make_reply(stream, service);
    if (reply->wait != HTTP_WAIT_NONE && !is_last_call)
        return false;
    if (reply->body.overflowed)
        http_reply_fault(reply);
    face_translate_fault(&stream->request, reply);
    return true;
}

static ssize_t on_reply_body_wanted(nghttp2_session *session, int32_t stream_id, uint8_t *room,
                                    size_t room_size, uint32_t *flags, nghttp2_data_source *source,
                                    void *context)
{
    (void)session;
    (void)stream_id;
    (void)context;
    struct h2_stream *stream = source->ptr;
    const struct body_text *body = &stream->reply.body;
    size_t left = body->length - stream->reply_sent;
    size_t count = left < room_size ? left : room_size;
    memcpy(room, body->bytes + stream->reply_sent, count);
    stream->reply_sent += count;
    if (count == left)
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    return (ssize_t)count;
}

int h2_stream_submit(struct h2_stream *stream, nghttp2_session *session, const char *date)
{
    stream->answered = true;
    const struct http_reply *reply = &stream->reply;
    char status[8];
    char length[24];
    nghttp2_nv fields[REPLY_FIELDS];
    size_t count = 0;
    snprintf(status, sizeof(status), "%u", reply->status);
    snprintf(length, sizeof(length), "%zu", reply->body.length);
    fields[count++] = reply_field(":status", status, 0);
    fields[count++] = reply_field("date", date, 0);
    if (reply->content_type != NULL)
        fields[count++] =
            reply_field("content-type", reply->content_type, NGHTTP2_NV_FLAG_NO_COPY_VALUE);
    for (unsigned i = 0; i < reply->allow_count; i++)
        fields[count++] = reply_field("allow", reply->allow[i], NGHTTP2_NV_FLAG_NO_COPY_VALUE);
    for (unsigned i = 0; i < reply->field_count; i++)
        fields[count++] = reply_field(reply->fields[i].name, reply->fields[i].value, 0);
    /* RFC 9110 section 8.6: no content-length with 204. */
    if (reply->status != 204)
        fields[count++] = reply_field("content-length", length, 0);
    nghttp2_data_provider body = {.source.ptr = stream, .read_callback = on_reply_body_wanted};
    bool has_body = reply->body.length > 0 && reply->status != 204 &&
                    !http_view_equals(stream->request.method, "HEAD");
    return nghttp2_submit_response(session, stream->id, fields, count, has_body ? &body : NULL);
}
