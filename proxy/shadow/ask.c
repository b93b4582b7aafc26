#include "proxy/shadow/ask.h"

/* So much of a body is on its way at once. */
enum { BODY_PIECE_BYTES = 32 * 1024 };

static void finish(struct ask *ask, enum ask_end end)
{
    struct backend_stream *stream = ask->stream;
    deadline_stop(&ask->deadline);
    ask->stream = NULL;
    if (stream != NULL)
        backend_stream_close(stream);
    ask->end = end;
    ask->options.capture->duration_us = ask->context->io->loop.now_us - ask->began_us;
    task_schedule(&ask->context->io->loop, &ask->over);
}

static void on_interim_head(void *owner, const struct response_head *head)
{
    (void)owner;
    (void)head;
}

static void on_response_head(void *owner, const struct response_head *head)
{
    struct ask *ask = owner;
    capture_head_take(ask->options.capture, head);
    if (ask->options.capture->cut_off)
        finish(ask, ASK_ANSWERED);
}

static void on_response_body(void *owner, struct buffer *buffer, const char *data, size_t length)
{
    struct ask *ask = owner;
    (void)buffer;
    capture_body(ask->options.capture, data, length);
    if (ask->options.capture->cut_off)
        finish(ask, ASK_ANSWERED);
    else
        backend_stream_consumed(ask->stream, length);
}

static void on_response_end(void *owner, const struct headers *trailers)
{
    struct ask *ask = owner;
    (void)trailers;
    ask->options.capture->whole = true;
    finish(ask, ASK_ANSWERED);
}

static void give_body(struct ask *ask)
{
    struct strview rest = strview_from(ask->context->body, ask->given);
    if (rest.length > BODY_PIECE_BYTES)
        rest.length = BODY_PIECE_BYTES;
    ask->given += rest.length;
    if (rest.length > 0)
        backend_stream_send_body(ask->stream, NULL, rest.data, rest.length);
    if (ask->given == ask->context->body.length)
        backend_stream_send_end(ask->stream, NULL);
}

static void on_request_consumed(void *owner, size_t length)
{
    struct ask *ask = owner;
    ask->consumed += length;
    if (ask->consumed == ask->given && ask->given < ask->context->body.length)
        give_body(ask);
}

static void on_failed(void *owner, enum backend_fault fault, bool unprocessed, bool reused)
{
    struct ask *ask = owner;
    (void)fault, (void)unprocessed, (void)reused;
    finish(ask, backend_stream_is_sent(ask->stream) ? ASK_FAILED : ASK_NOT_SENT);
}

static void on_deadline(struct deadline *deadline)
{
    struct ask *ask = LIST_ENTRY(deadline, struct ask, deadline);
    finish(ask, backend_stream_is_sent(ask->stream) ? ASK_FAILED : ASK_LATE);
}

static const struct backend_stream_events events = {
    .on_interim_head = on_interim_head,
    .on_response_head = on_response_head,
    .on_response_body = on_response_body,
    .on_response_end = on_response_end,
    .on_request_consumed = on_request_consumed,
    .on_failed = on_failed,
};

static void run_over(struct task *task)
{
    struct ask *ask = LIST_ENTRY(task, struct ask, over);
    ask->on_end(ask);
}

static void open_stream(struct ask *ask, struct endpoint_state *endpoint)
{
    struct backend_stream_options options = {
        .request = ask->options.request,
        .timeouts = &ask->options.backend->timeouts,
        .limits = &ask->options.backend->limits,
        .tls = ask->options.backend->tls,
        .at_once = true,
        .events = &events,
        .owner = ask,
        .arena = &ask->context->memory->arena,
    };
    ask->stream = backend_pool_open_pipelined(backend_pools_get(ask->context->pools, endpoint),
                                              &options, ask->options.pipeline);
    if (ask->stream == NULL)
        finish(ask, ASK_NOT_SENT);
    else if (ask->options.request->has_body)
        give_body(ask);
}

void ask_start(struct ask *ask, const struct ask_context *context,
               const struct ask_options *options, void (*on_end)(struct ask *ask))
{
    struct loop *loop = &context->io->loop;
    *ask = (struct ask){
        .context = context,
        .options = *options,
        .on_end = on_end,
        .began_us = loop->now_us,
    };
    deadline_init(&ask->deadline, on_deadline);
    task_init(&ask->over, run_over);
    struct balance_facts facts = {
        .random = context->random, .key = context->random, .now_ms = loop->now_ms};
    struct endpoint_state *endpoint = balancer_pick(options->backend, context->pools, &facts);
    if (endpoint == NULL) {
        finish(ask, ASK_NOT_SENT);
        return;
    }
    deadline_start(loop, &ask->deadline, context->timeout_ms);
    open_stream(ask, endpoint);
}

void ask_cancel(struct ask *ask)
{
    deadline_stop(&ask->deadline);
    task_cancel(&ask->over);
    if (ask->stream != NULL)
        backend_stream_close(ask->stream);
    ask->stream = NULL;
}
