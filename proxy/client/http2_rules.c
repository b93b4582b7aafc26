/*
 * Rules about frames and the states of streams that nghttp2 lets pass (RFC 9113
 * sections 5.1, 5.1.1, 6.1, 6.2, 6.3, 6.9.2; RFC 7540 section 5.3.1). It forgets streams when they
 * are closed; here is remembered what tells a client that breaks the rules from one whose frames
 * have crossed a reset of ours.
 */
#include "proxy/client/http2_internal.h"

#include <stdlib.h>

#include "proxy/core/array.h"

/* Numbers that the client has left out: none of them may come later. */
static void note_opened(struct http2_rules *rules, int32_t id)
{
    if (id > rules->last_id + 2 || (rules->last_id == 0 && id > 1)) {
        struct http2_gap *gap = &rules->gaps[rules->gap_count++ % HTTP2_GAPS];
        *gap = (struct http2_gap){rules->last_id, id};
    }
    rules->last_id = id;
}

static bool was_left_out(const struct http2_rules *rules, int32_t id)
{
    uint32_t count = rules->gap_count < HTTP2_GAPS ? rules->gap_count : HTTP2_GAPS;
    for (uint32_t i = 0; i < count; i++) {
        if (id > rules->gaps[i].before && id < rules->gaps[i].after)
            return true;
    }
    return false;
}

void http2_rules_reset(struct http2_rules *rules, int32_t id)
{
    if (rules->resets == NULL)
        rules->resets = memory_zalloc(HTTP2_RESETS * sizeof(*rules->resets));
    int32_t *slot = &rules->resets[rules->reset_count++ % HTTP2_RESETS];
    if (*slot > rules->forgotten)
        rules->forgotten = *slot;
    *slot = id;
}

/* By us, not long ago: frames for it may be on their way. */
static bool was_reset(const struct http2_rules *rules, int32_t id)
{
    if (id <= rules->forgotten)
        return true; /* perhaps */
    for (size_t i = 0; rules->resets != NULL && i < HTTP2_RESETS; i++) {
        if (rules->resets[i] == id)
            return true;
    }
    return false;
}

static uint32_t check_state(struct http2_session *session, const nghttp2_frame_hd *head)
{
    struct http2_rules *rules = &session->rules;
    if (head->stream_id <= 0 || head->stream_id % 2 == 0)
        return NGHTTP2_NO_ERROR; /* nghttp2 knows what to do */
    if (head->stream_id > rules->last_id) {
        if (head->type == NGHTTP2_HEADERS)
            note_opened(rules, head->stream_id);
        return NGHTTP2_NO_ERROR;
    }
    /* Who drains ignores new streams, and what comes on them. */
    if (session->draining || http2_stream_by_id(session, head->stream_id) != NULL ||
        was_reset(rules, head->stream_id))
        return NGHTTP2_NO_ERROR;
    bool left_out = head->type == NGHTTP2_HEADERS && was_left_out(rules, head->stream_id);
    return left_out ? NGHTTP2_PROTOCOL_ERROR : NGHTTP2_STREAM_CLOSED;
}

/* Before new settings change all windows: the largest of them. */
static void note_windows(struct http2_session *session)
{
    struct http2_rules *rules = &session->rules;
    rules->initial_window =
        nghttp2_session_get_remote_settings(session->session, NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE);
    rules->largest_window = 0;
    for (struct list *at = session->streams.next; at != &session->streams; at = at->next) {
        int32_t id = LIST_ENTRY(at, struct http2_stream, node)->id;
        int32_t window = nghttp2_session_get_stream_remote_window_size(session->session, id);
        if (window > rules->largest_window)
            rules->largest_window = window;
    }
}

/* --- frames that nghttp2 passes over in silence ---------------------------------------------- */

enum { PREFACE_BYTES = 24, FRAME_HEAD_BYTES = 9, DEPENDENCY_BYTES = 4, PRIORITY_BYTES = 5 };

void http2_rules_init(struct http2_rules *rules)
{
    *rules = (struct http2_rules){.skip = PREFACE_BYTES};
}

/* Of a stream: the first bit is none of it. */
static int32_t id_at(const uint8_t *at)
{
    uint32_t id = (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
    return (int32_t)(id & INT32_MAX);
}

static nghttp2_frame_hd scanned_head(const struct http2_rules *rules)
{
    const uint8_t *head = rules->head;
    return (nghttp2_frame_hd){
        .length = (size_t)head[0] << 16 | (size_t)head[1] << 8 | head[2],
        .type = head[3],
        .flags = head[4],
        .stream_id = id_at(head + 5),
    };
}

static bool lacks_padding_length(const nghttp2_frame_hd *head)
{
    return (head->type == NGHTTP2_DATA || head->type == NGHTTP2_HEADERS) && head->length == 0 &&
           (head->flags & NGHTTP2_FLAG_PADDED) != 0;
}

static bool is_priority(const nghttp2_frame_hd *head)
{
    return head->type == NGHTTP2_PRIORITY && head->length == PRIORITY_BYTES;
}

size_t http2_rules_scan(struct http2_rules *rules, const char *data, size_t length)
{
    size_t at = 0;
    while (at < length) {
        size_t left = length - at;
        size_t skipped = rules->skip < left ? rules->skip : left;
        rules->skip -= (uint32_t)skipped;
        at += skipped;
        if (at == length)
            break;
        rules->head[rules->head_bytes++] = (uint8_t)data[at++];
        if (rules->head_bytes < FRAME_HEAD_BYTES)
            continue;
        nghttp2_frame_hd head = scanned_head(rules);
        if (is_priority(&head) && rules->head_bytes < FRAME_HEAD_BYTES + DEPENDENCY_BYTES)
            continue;
        rules->skip = (uint32_t)head.length + FRAME_HEAD_BYTES - rules->head_bytes;
        rules->head_bytes = 0;
        if (head.type == NGHTTP2_DATA || lacks_padding_length(&head) || is_priority(&head))
            return at - 1;
    }
    return length;
}

uint32_t http2_rules_check(struct http2_session *session)
{
    nghttp2_frame_hd head = scanned_head(&session->rules);
    if (lacks_padding_length(&head) && head.stream_id != 0)
        return NGHTTP2_FRAME_SIZE_ERROR;
    if (is_priority(&head) && id_at(session->rules.head + FRAME_HEAD_BYTES) == head.stream_id)
        return NGHTTP2_PROTOCOL_ERROR; /* depends on itself */
    return head.type == NGHTTP2_DATA ? check_state(session, &head) : NGHTTP2_NO_ERROR;
}

/* --- all others ------------------------------------------------------------------------------ */

uint32_t http2_rules_begin_frame(struct http2_session *session, const nghttp2_frame_hd *head)
{
    switch (head->type) {
    case NGHTTP2_HEADERS:
        return check_state(session, head);
    case NGHTTP2_PRIORITY:
        return head->stream_id == 0 ? NGHTTP2_PROTOCOL_ERROR : NGHTTP2_NO_ERROR;
    case NGHTTP2_SETTINGS:
        note_windows(session);
        return NGHTTP2_NO_ERROR;
    default:
        return NGHTTP2_NO_ERROR;
    }
}

uint32_t http2_rules_settings(const struct http2_session *session)
{
    const struct http2_rules *rules = &session->rules;
    int64_t initial_window =
        nghttp2_session_get_remote_settings(session->session, NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE);
    int64_t largest = rules->largest_window + initial_window - rules->initial_window;
    return largest > INT32_MAX ? NGHTTP2_FLOW_CONTROL_ERROR : NGHTTP2_NO_ERROR;
}

void http2_rules_done(struct http2_rules *rules)
{
    free(rules->resets);
}
