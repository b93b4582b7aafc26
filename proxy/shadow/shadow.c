#include "proxy/shadow/shadow.h"

#include <stdlib.h>

#include "proxy/core/array.h"
#include "proxy/core/check.h"
#include "proxy/routing/bucket.h"
#include "proxy/shadow/judge.h"
#include "proxy/shadow/shadow_internal.h"

/* What a shadow costs beyond the bodies that it keeps: itself, its heads, its streams' buffers. */
enum { SHADOW_OWN_BYTES = 24 * 1024, SHADOW_BODY_BUDGET_BYTES = 16 * 1024 * 1024 };

static void submit(struct shadow *shadow);
static void on_confirm(struct deadline *deadline);

/* --- the environment
 * ------------------------------------------------------------------------------ */

void shadow_environment_init(struct shadow_environment *environment, struct io *io)
{
    environment->io = io;
    environment->stopping = false;
    list_init(&environment->live);
    backend_pools_init(&environment->pools, io, SHADOW_BODY_BUDGET_BYTES);
    shadow_inbox_init(&environment->inbox, &io->loop);
}

static void receive(struct shadow_environment *environment, bool confirm)
{
    struct shadow *shadow = shadow_inbox_take_all(&environment->inbox);
    while (shadow != NULL) {
        struct shadow *next = shadow->next_in_queue;
        if (confirm)
            shadow_confirm(shadow);
        else
            shadow_free(shadow);
        shadow = next;
    }
}

void shadow_environment_receive(struct shadow_environment *environment)
{
    receive(environment, !environment->stopping);
}

void shadow_environment_done(struct shadow_environment *environment)
{
    receive(environment, false);
    backend_pools_done(&environment->pools);
    shadow_inbox_done(&environment->inbox);
}

/* --- counting
 * -------------------------------------------------------------------------------------- */

static void count(struct shadow_environment *environment, uint32_t id)
{
    metrics_add(environment->metrics, id, 1);
}

static void count_dropped(struct shadow_environment *environment,
                          const struct shadow_policy *policy, enum shadow_drop drop)
{
    count(environment, policy->metrics.dropped + (uint32_t)drop);
}

static void count_verdict(struct shadow *shadow, enum verdict verdict)
{
    count(shadow->environment, shadow->policy->metrics.verdicts + (uint32_t)verdict);
}

/* --- the end
 * --------------------------------------------------------------------------------------- */

void shadow_free(struct shadow *shadow)
{
    for (int i = 0; i < ANSWER_COUNT; i++)
        capture_done(&shadow->answers[i]);
    capture_done(&shadow->body);
    shadow_budget_give_back(shadow->environment->budget, shadow->charged);
    arena_done(&shadow->arena);
    atomic_fetch_sub_explicit(&shadow->policy->state->in_flight, 1, memory_order_relaxed);
    shadow->holder.release(shadow->holder.object);
    free(shadow);
}

/* It asks nobody any more. */
static void leave(struct shadow *shadow)
{
    list_remove(&shadow->node);
    task_cancel(&shadow->start);
    deadline_stop(&shadow->confirm);
    for (int i = 0; i < ANSWER_COUNT; i++)
        ask_cancel(&shadow->asks[i]);
}

/* Ends without being sent, or frees what is left when the exchange still looks at it. */
static void drop(struct shadow *shadow, enum shadow_drop reason)
{
    if (!shadow->counted)
        count_dropped(shadow->environment, shadow->policy, reason);
    shadow->counted = true;
    shadow->cancelled = true;
    if (shadow->attached)
        return;
    leave(shadow);
    shadow_free(shadow);
}

static void end_with(struct shadow *shadow, enum verdict verdict)
{
    count_verdict(shadow, verdict);
    leave(shadow);
    shadow_free(shadow);
}

void shadow_environment_stop(struct shadow_environment *environment)
{
    environment->stopping = true;
    receive(environment, false);
    while (!list_is_empty(&environment->live)) {
        struct shadow *shadow = LIST_ENTRY(environment->live.next, struct shadow, node);
        CHECK(!shadow->attached);
        if (shadow->counted)
            end_with(shadow, VERDICT_ERROR);
        else
            drop(shadow, SHADOW_DROP_SHED);
    }
}

/* --- asking
 * ---------------------------------------------------------------------------------------- */

static bool is_of_second_side(enum shadow_answer answer)
{
    return answer == ANSWER_SECOND || answer == ANSWER_CONFIRM_SECOND;
}

static void on_ask_end(struct ask *ask);

static void ask(struct shadow *shadow, enum shadow_answer answer)
{
    struct shadow_environment *environment = shadow->environment;
    size_t side = is_of_second_side(answer) ? 1 : 0;
    capture_init(&shadow->answers[answer], environment->budget, shadow->policy->max_body);
    struct ask_options options = {
        .io = environment->io,
        .pools = &environment->pools,
        .backend = shadow->backends[side],
        .request = &shadow->requests[side],
        .body = strview_make(shadow->body.bytes, shadow->body.length),
        .arena = &shadow->arena,
        .capture = &shadow->answers[answer],
        .owner = shadow,
        .timeout_ms = shadow->policy->timeout_ms,
        .random = shadow->random,
    };
    shadow->pending++;
    ask_start(&shadow->asks[answer], &options, on_ask_end);
}

/* Both answers are there, or will never be. */
static void go_on(struct shadow *shadow)
{
    if (shadow->attached || shadow->pending > 0)
        return;
    bool first_answered = shadow->answers[ANSWER_FIRST].whole;
    if (shadow->phase == SHADOW_ASKING &&
        (!first_answered || shadow->ends[ANSWER_SECOND] != ASK_ANSWERED))
        end_with(shadow, VERDICT_ERROR);
    else
        submit(shadow);
}

/* The first time that is known whether the copy was sent. */
static void count_sending(struct shadow *shadow)
{
    if (shadow->counted)
        return;
    shadow->counted = true;
    if (shadow->ends[ANSWER_SECOND] == ASK_NOT_SENT)
        count_dropped(shadow->environment, shadow->policy, SHADOW_DROP_BACKEND_DOWN);
    else
        count(shadow->environment, shadow->policy->metrics.sent);
}

static void on_ask_end(struct ask *ended)
{
    struct shadow *shadow = ended->options.owner;
    enum shadow_answer answer = (enum shadow_answer)(ended - shadow->asks);
    shadow->ends[answer] = ended->end;
    shadow->pending--;
    if (answer == ANSWER_SECOND)
        count_sending(shadow);
    if (answer == ANSWER_SECOND && ended->end == ASK_NOT_SENT)
        shadow->cancelled = true; /* nothing to compare; it ends with its exchange */
    if (shadow->cancelled && !shadow->attached && shadow->pending == 0) {
        leave(shadow);
        shadow_free(shadow);
        return;
    }
    go_on(shadow);
}

static bool wants_baseline(const struct shadow *shadow)
{
    return !shadow->is_write && !shadow->conditional &&
           shadow->random % BUCKET_COUNT < shadow->policy->baseline_threshold;
}

static void run_start(struct task *task)
{
    struct shadow *shadow = LIST_ENTRY(task, struct shadow, start);
    if (shadow->cancelled)
        return;
    shadow->phase = SHADOW_ASKING;
    ask(shadow, ANSWER_SECOND);
    shadow->has_baseline = wants_baseline(shadow);
    if (shadow->has_baseline)
        ask(shadow, ANSWER_BASELINE);
}

/* A read goes as soon as it is whole; a write after the first side has answered, so that it never
 * gets ahead. Another turn of the loop: the client's request comes first. */
static void start_if_ready(struct shadow *shadow)
{
    bool may = shadow->request_whole && (!shadow->is_write || shadow->answers[ANSWER_FIRST].whole);
    if (may && !shadow->cancelled && shadow->phase == SHADOW_COPYING)
        task_schedule_next_turn(&shadow->environment->io->loop, &shadow->start);
}

/* --- what the exchange tells
 * ------------------------------------------------------------------------ */

static void add_field(struct shadow *shadow, size_t side, const char *name, struct strview value)
{
    struct strview text = strview_of(name);
    headers_add(&shadow->headers[side], &shadow->arena, header_token_of(text), text, value);
}

static bool is_condition(struct strview name)
{
    static const char *const names[] = {"if-match",          "if-none-match",
                                        "if-modified-since", "if-unmodified-since",
                                        "if-range",          "range"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strview_equal(name, strview_of(names[i])))
            return true;
    }
    return false;
}

static void copy_headers(struct shadow *shadow, const struct headers *headers)
{
    for (uint32_t i = 0; i < headers->count; i++) {
        const struct header_field *field = &headers->fields[i];
        struct strview name = arena_copy(&shadow->arena, field->name);
        struct strview value = arena_copy(&shadow->arena, field->value);
        shadow->conditional = shadow->conditional || is_condition(name);
        for (size_t side = 0; side < 2; side++) {
            if (field->token != HEADER_X_ORIGINAL_PATH)
                headers_add(&shadow->headers[side], &shadow->arena, field->token, name, value);
        }
    }
}

static void copy_request(struct shadow *shadow, const struct shadow_request *request)
{
    struct arena *arena = &shadow->arena;
    const struct backend_request *from = request->request;
    headers_init(&shadow->headers[0]);
    headers_init(&shadow->headers[1]);
    copy_headers(shadow, from->headers);
    for (size_t side = 0; side < 2; side++) {
        add_field(shadow, side, "x-strangler-shadow", STRVIEW("1"));
        struct strview path = side == 0 ? request->first_path : request->second_path;
        shadow->requests[side] = (struct backend_request){
            .method = from->method,
            .method_text = arena_copy(arena, from->method_text),
            .scheme = arena_copy(arena, from->scheme),
            .authority = arena_copy(arena, from->authority),
            .path = arena_copy(arena, path),
            .query = arena_copy(arena, from->query),
            .headers = &shadow->headers[side],
            .content_length = from->content_length,
            .has_body = from->has_body,
        };
    }
    shadow->route = arena_copy(arena, request->route);
    shadow->request_id = arena_copy(arena, request->request_id);
    if (request->is_write)
        add_field(shadow, 1, "idempotency-key", shadow->request_id);
}

/* The reason to drop it at once, or SHADOW_DROP_COUNT. */
static enum shadow_drop refusal_of(const struct shadow_environment *environment,
                                   const struct shadow_request *request)
{
    const struct shadow_policy *policy = request->policy;
    int64_t length = request->request->content_length;
    if (environment->stopping)
        return SHADOW_DROP_SHED;
    if (request->is_upgrade)
        return SHADOW_DROP_UPGRADE;
    if (request->is_write && !(policy->writes && request->second_backend->isolated))
        return SHADOW_DROP_UNSAFE;
    if (request->request->has_body && length > 0 && (uint64_t)length > policy->max_body)
        return SHADOW_DROP_BODY_LIMIT;
    if (atomic_load_explicit(&policy->state->in_flight, memory_order_relaxed) >=
        policy->max_inflight)
        return SHADOW_DROP_QUEUE_FULL;
    return SHADOW_DROP_COUNT;
}

struct shadow *shadow_begin(struct shadow_environment *environment,
                            const struct shadow_request *request)
{
    const struct shadow_policy *policy = request->policy;
    count(environment, policy->metrics.sampled);
    enum shadow_drop refusal = refusal_of(environment, request);
    if (refusal == SHADOW_DROP_COUNT && !shadow_budget_take(environment->budget, SHADOW_OWN_BYTES))
        refusal = SHADOW_DROP_MEMORY;
    if (refusal != SHADOW_DROP_COUNT) {
        count_dropped(environment, policy, refusal);
        return NULL;
    }
    struct shadow *shadow = memory_zalloc(sizeof(*shadow));
    shadow->environment = environment;
    shadow->policy = policy;
    shadow->holder = request->holder;
    shadow->charged = SHADOW_OWN_BYTES;
    shadow->attached = true;
    shadow->backends[0] = request->first_backend;
    shadow->backends[1] = request->second_backend;
    shadow->is_write = request->is_write;
    shadow->random = request->random;
    shadow->unix_ms = environment->io->loop.wall_ms;
    shadow->began_us = environment->io->loop.now_us;
    arena_init(&shadow->arena, NULL);
    task_init(&shadow->start, run_start);
    deadline_init(&shadow->confirm, on_confirm);
    for (int i = 0; i < ANSWER_COUNT; i++)
        capture_init(&shadow->answers[i], environment->budget, policy->max_body);
    capture_init(&shadow->body, environment->budget, policy->max_body);
    copy_request(shadow, request);
    list_append(&environment->live, &shadow->node);
    atomic_fetch_add_explicit(&policy->state->in_flight, 1, memory_order_relaxed);
    if (!request->request->has_body)
        shadow_request_end(shadow);
    return shadow;
}

void shadow_request_body(struct shadow *shadow, const char *data, size_t length)
{
    if (shadow->cancelled)
        return;
    capture_body(&shadow->body, data, length);
    if (shadow->body.cut_off)
        drop(shadow, SHADOW_DROP_BODY_LIMIT);
}

void shadow_request_end(struct shadow *shadow)
{
    shadow->request_whole = true;
    if (shadow->requests[0].has_body) {
        shadow->requests[0].content_length = (int64_t)shadow->body.length;
        shadow->requests[1].content_length = (int64_t)shadow->body.length;
    }
    start_if_ready(shadow);
}

void shadow_first_head(struct shadow *shadow, const struct response_head *head)
{
    if (shadow->cancelled)
        return;
    capture_head(&shadow->answers[ANSWER_FIRST], head, &shadow->arena);
    const struct header_field *location =
        headers_find_name(&shadow->answers[ANSWER_FIRST].headers, STRVIEW("location"));
    if (shadow->is_write && location != NULL)
        add_field(shadow, 1, "x-strangler-first-location", location->value);
}

void shadow_first_body(struct shadow *shadow, const char *data, size_t length)
{
    if (!shadow->cancelled)
        capture_body(&shadow->answers[ANSWER_FIRST], data, length);
}

void shadow_first_end(struct shadow *shadow)
{
    struct capture *first = &shadow->answers[ANSWER_FIRST];
    first->whole = true;
    first->duration_us = shadow->environment->io->loop.now_us - shadow->began_us;
    start_if_ready(shadow);
}

void shadow_let_go(struct shadow *shadow)
{
    shadow->attached = false;
    bool started = shadow->phase != SHADOW_COPYING;
    bool starts = shadow->request_whole && shadow->answers[ANSWER_FIRST].whole;
    if (shadow->cancelled && shadow->pending == 0) {
        leave(shadow);
        shadow_free(shadow);
    } else if (!started && !starts) {
        drop(shadow, SHADOW_DROP_CLIENT_GONE);
    } else if (started) {
        go_on(shadow);
    }
}

/* --- judging
 * ---------------------------------------------------------------------------------------- */

static void submit(struct shadow *shadow)
{
    struct shadow_environment *environment = shadow->environment;
    const struct shadow_policy *policy = shadow->policy;
    leave(shadow);
    shadow->phase = SHADOW_JUDGING;
    if (judge_submit_take(environment->judge, shadow))
        return;
    count(environment, policy->metrics.verdicts + VERDICT_NOT_COMPARABLE);
    shadow_free(shadow);
}

static void on_confirm(struct deadline *deadline)
{
    struct shadow *shadow = LIST_ENTRY(deadline, struct shadow, confirm);
    ask(shadow, ANSWER_CONFIRM_FIRST);
    ask(shadow, ANSWER_CONFIRM_SECOND);
}

void shadow_confirm(struct shadow *shadow)
{
    struct shadow_environment *environment = shadow->environment;
    shadow->phase = SHADOW_CONFIRMING;
    shadow->confirmations++;
    list_append(&environment->live, &shadow->node);
    capture_done(&shadow->answers[ANSWER_CONFIRM_FIRST]);
    capture_done(&shadow->answers[ANSWER_CONFIRM_SECOND]);
    deadline_start(&environment->io->loop, &shadow->confirm, SHADOW_CONFIRM_DELAY_MS);
}
