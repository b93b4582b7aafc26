#include "proxy/shadow/shadow.h"

#include "proxy/core/array.h"
#include "proxy/core/check.h"
#include "proxy/routing/bucket.h"
#include "proxy/shadow/judge.h"
#include "proxy/shadow/shadow_internal.h"

enum { SHADOW_BODY_BUDGET_BYTES = 16 * 1024 * 1024 };

/* --- the environment ------------------------------------------------------------------------- */

static void run_start(struct task *task);

void shadow_environment_init(struct shadow_environment *environment, struct io *io)
{
    environment->io = io;
    environment->undecided = 0;
    environment->shedding = false;
    list_init(&environment->live);
    list_init(&environment->ready);
    task_init(&environment->start, run_start);
    environment->waited_for_others = false;
    backend_pools_init(&environment->pools, io, SHADOW_BODY_BUDGET_BYTES);
    environment->pools.unlimited =
        true; /* copies have limits of their own, and take no client's room */
    shadow_inbox_init(&environment->inbox, &io->loop);
    shadow_hand_over_init(environment);
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
    receive(environment, !environment->shedding);
}

void shadow_environment_done(struct shadow_environment *environment)
{
    receive(environment, false);
    CHECK(environment->undecided == 0);
    backend_pools_done(&environment->pools);
    shadow_inbox_done(&environment->inbox);
}

/* --- counting -------------------------------------------------------------------------------- */

static void count(struct shadow_environment *environment, uint32_t id)
{
    metrics_add(environment->metrics, id, 1);
}

static void count_dropped(struct shadow_environment *environment,
                          const struct shadow_policy *policy, enum shadow_drop drop)
{
    count(environment, policy->metrics.dropped + (uint32_t)drop);
    environment->undecided--;
}

static void count_verdict(struct shadow *shadow, enum verdict verdict)
{
    count(shadow->environment, shadow->policy->metrics.verdicts + (uint32_t)verdict);
}

/* --- the end --------------------------------------------------------------------------------- */

static bool has_asked(const struct shadow *shadow, int answer)
{
    return (shadow->asked & 1u << answer) != 0;
}

void shadow_free(struct shadow *shadow)
{
    struct shadow_memory memory = shadow->memory; /* which the shadow lies in */
    for (int i = 0; i < ANSWER_COUNT; i++) {
        if (has_asked(shadow, i))
            capture_done(&shadow->answers[i]);
    }
    capture_done(&shadow->body);
    atomic_fetch_sub_explicit(&shadow->policy->state->in_flight, 1, memory_order_relaxed);
    shadow->holder.release(shadow->holder.object);
    shadow_memory_done(&memory);
}

/* The exchange feeds it no more. */
static void detach(struct shadow *shadow)
{
    if (shadow->slot != NULL)
        *shadow->slot = NULL;
    shadow->slot = NULL;
}

/* Nobody feeds it, and it asks nobody. */
static void leave(struct shadow *shadow)
{
    detach(shadow);
    list_remove(&shadow->node);
    list_remove(&shadow->start);
    deadline_stop(&shadow->deadline);
    for (int i = ANSWER_SECOND; i < ANSWER_COUNT; i++) {
        if (has_asked(shadow, i))
            ask_cancel(&shadow->asks[i]);
    }
}

/* Ends without being sent. */
static void drop(struct shadow *shadow, enum shadow_drop reason)
{
    count_dropped(shadow->environment, shadow->policy, reason);
    leave(shadow);
    shadow_free(shadow);
}

static void end_with(struct shadow *shadow, enum verdict verdict)
{
    count_verdict(shadow, verdict);
    leave(shadow);
    shadow_free(shadow);
}

void shadow_environment_shed(struct shadow_environment *environment)
{
    environment->shedding = true;
}

void shadow_environment_stop(struct shadow_environment *environment)
{
    environment->shedding = true;
    receive(environment, false);
    while (!list_is_empty(&environment->live)) {
        struct shadow *shadow = LIST_ENTRY(environment->live.next, struct shadow, node);
        CHECK(shadow->slot == NULL);
        if (shadow->counted)
            end_with(shadow, VERDICT_ERROR);
        else
            drop(shadow, SHADOW_DROP_SHED);
    }
}

/* --- asking ---------------------------------------------------------------------------------- */

static bool is_of_second_side(enum shadow_answer answer)
{
    return answer == ANSWER_SECOND || answer == ANSWER_CONFIRM_SECOND;
}

static void on_ask_end(struct ask *ask);

static void ask(struct shadow *shadow, enum shadow_answer answer)
{
    size_t side = is_of_second_side(answer) ? 1 : 0;
    bool is_safe_copy = answer == ANSWER_SECOND && !shadow->is_write;
    capture_init(&shadow->answers[answer], &shadow->memory, &shadow->answers[ANSWER_FIRST],
                 shadow->policy->max_body);
    struct ask_options options = {
        .backend = shadow->backends[side],
        .request = &shadow->requests[side],
        .capture = &shadow->answers[answer],
        .pipeline = is_safe_copy ? shadow->policy->pipeline : 1,
        .owner = shadow,
    };
    shadow->context.body = capture_view(&shadow->body);
    shadow->asked |= 1u << answer;
    shadow->pending++;
    ask_start(&shadow->asks[answer], &shadow->context, &options, on_ask_end);
}

static void be_patient(struct shadow *shadow)
{
    deadline_start(&shadow->environment->io->loop, &shadow->deadline,
                   shadow->policy->timeout_ms * SHADOW_PATIENCE);
}

/* All answers are there. */
static void settle(struct shadow *shadow)
{
    enum verdict verdict = shadow_verdict_at_once(shadow);
    if (verdict == VERDICT_COUNT) {
        leave(shadow);
        shadow_hand_over_take(shadow);
        return;
    }
    shadow_observe_times(shadow, shadow->environment->metrics);
    if (verdict == VERDICT_MATCH)
        shadow_state_matched(shadow->policy->state, shadow->unix_ms);
    end_with(shadow, verdict);
}

/* Judges when all answers are there, or will never be. */
static void go_on(struct shadow *shadow)
{
    const struct capture *first = &shadow->answers[ANSWER_FIRST];
    if (shadow->phase == SHADOW_COPYING || shadow->pending > 0)
        return;
    if (shadow->slot != NULL)
        be_patient(shadow); /* the client's answer goes on */
    else if (!(first->whole || first->cut_off) || shadow->ends[ANSWER_SECOND] != ASK_ANSWERED)
        end_with(shadow, VERDICT_ERROR);
    else
        settle(shadow);
}

/* Why the copy has not been sent, or SHADOW_DROP_COUNT. */
static enum shadow_drop drop_of(enum ask_end end)
{
    switch (end) {
    case ASK_NOT_SENT:
        return SHADOW_DROP_BACKEND_DOWN;
    case ASK_LATE:
        return SHADOW_DROP_DEADLINE;
    case ASK_ANSWERED:
    case ASK_FAILED:
        break;
    }
    return SHADOW_DROP_COUNT;
}

/* Was the copy worth its connection? */
static void count_use(struct shadow *shadow)
{
    bool answered = shadow->ends[ANSWER_SECOND] == ASK_ANSWERED;
    if (answered && !shadow->answers[ANSWER_SECOND].cut_off)
        shadow_rest_useful(shadow->rest);
    else
        shadow_rest_useless(shadow->rest, answered, shadow->environment->io->loop.now_ms);
}

static void on_ask_end(struct ask *ended)
{
    struct shadow *shadow = ended->options.owner;
    enum shadow_answer answer = (enum shadow_answer)(ended - shadow->asks);
    enum shadow_drop why = answer == ANSWER_SECOND ? drop_of(ended->end) : SHADOW_DROP_COUNT;
    shadow->ends[answer] = ended->end;
    shadow->pending--;
    if (answer == ANSWER_SECOND)
        count_use(shadow);
    if (why != SHADOW_DROP_COUNT) {
        drop(shadow, why);
        return;
    }
    if (answer == ANSWER_SECOND) {
        shadow->counted = true;
        count(shadow->environment, shadow->policy->metrics.sent);
        shadow->environment->undecided--;
    }
    go_on(shadow);
}

static bool wants_baseline(const struct shadow *shadow)
{
    return !shadow->is_write && !shadow->conditional &&
           shadow->context.random % BUCKET_COUNT < shadow->policy->baseline_threshold;
}

static void start(struct shadow *shadow)
{
    list_remove(&shadow->start);
    deadline_stop(&shadow->deadline);
    shadow->phase = SHADOW_ASKING;
    ask(shadow, ANSWER_SECOND);
    shadow->has_baseline = wants_baseline(shadow);
    if (shadow->has_baseline)
        ask(shadow, ANSWER_BASELINE);
}

/* The first time it stands among what clients' requests have scheduled, the second time behind it.
 */
static void run_start(struct task *task)
{
    struct shadow_environment *environment = LIST_ENTRY(task, struct shadow_environment, start);
    environment->waited_for_others = !environment->waited_for_others;
    if (environment->waited_for_others) {
        task_schedule(&environment->io->loop, task);
        return;
    }
    while (!list_is_empty(&environment->ready))
        start(LIST_ENTRY(environment->ready.next, struct shadow, start));
}

void shadow_confirm(struct shadow *shadow)
{
    struct shadow_environment *environment = shadow->environment;
    shadow->phase = SHADOW_CONFIRMING;
    shadow->confirmations++;
    list_append(&environment->live, &shadow->node);
    for (int i = ANSWER_CONFIRM_FIRST; i < ANSWER_COUNT; i++) {
        if (has_asked(shadow, i))
            capture_done(&shadow->answers[i]);
    }
    deadline_start(&environment->io->loop, &shadow->deadline, SHADOW_CONFIRM_DELAY_MS);
}

static void on_deadline(struct deadline *deadline)
{
    struct shadow *shadow = LIST_ENTRY(deadline, struct shadow, deadline);
    switch (shadow->phase) {
    case SHADOW_COPYING: /* a slow request, or a write without an answer */
        drop(shadow, SHADOW_DROP_DEADLINE);
        break;
    case SHADOW_ASKING: /* the first answer takes too long, or never ends: a stream of events */
        end_with(shadow, VERDICT_ERROR);
        break;
    case SHADOW_CONFIRMING:
        ask(shadow, ANSWER_CONFIRM_FIRST);
        ask(shadow, ANSWER_CONFIRM_SECOND);
        break;
    case SHADOW_JUDGING:
        break;
    }
}

/* --- beginning ------------------------------------------------------------------------------- */

/* The reason to drop it at once, or SHADOW_DROP_COUNT. */
static enum shadow_drop refusal_of(const struct shadow_environment *environment,
                                   const struct shadow_request *request)
{
    const struct shadow_policy *policy = request->policy;
    const struct shadow_rest *rest = &policy->state->rests[request->second_side];
    int64_t length = request->request->content_length;
    if (environment->shedding)
        return SHADOW_DROP_SHED;
    if (request->is_upgrade)
        return SHADOW_DROP_UPGRADE;
    if (request->is_write && !(policy->writes && request->second_backend->isolated))
        return SHADOW_DROP_UNSAFE;
    if (request->request->has_body && length > 0 && (uint64_t)length > policy->max_body)
        return SHADOW_DROP_BODY_LIMIT;
    if (shadow_rests(rest, environment->io->loop.now_ms))
        return atomic_load_explicit(&rest->is_too_long, memory_order_relaxed)
                   ? SHADOW_DROP_BODY_LIMIT
                   : SHADOW_DROP_BACKEND_DOWN;
    return SHADOW_DROP_COUNT;
}

static struct shadow *shadow_new(struct shadow_environment *environment,
                                 const struct shadow_request *request)
{
    const struct shadow_policy *policy = request->policy;
    struct shadow_memory memory;
    shadow_memory_init(&memory, environment->budget, &environment->io->arenas);
    struct shadow *shadow = arena_alloc(&memory.arena, sizeof(*shadow));
    memset(shadow, 0, offsetof(struct shadow, answers));
    shadow->memory = memory;
    shadow->environment = environment;
    shadow->policy = policy;
    shadow->holder = request->holder;
    shadow->holder.hold(shadow->holder.object);
    shadow->backends[0] = request->first_backend;
    shadow->backends[1] = request->second_backend;
    shadow->rest = &policy->state->rests[request->second_side];
    shadow->is_write = request->is_write;
    shadow->unix_ms = environment->io->loop.wall_ms;
    shadow->began_us = environment->io->loop.now_us;
    shadow->context = (struct ask_context){
        .io = environment->io,
        .pools = &environment->pools,
        .memory = &shadow->memory,
        .timeout_ms = policy->timeout_ms,
        .random = request->random,
    };
    list_init(&shadow->node);
    list_init(&shadow->start);
    deadline_init(&shadow->deadline, on_deadline);
    struct capture *answers = shadow->answers;
    capture_init(&answers[ANSWER_FIRST], &shadow->memory, &answers[ANSWER_SECOND],
                 policy->max_body);
    capture_init(&answers[ANSWER_SECOND], &shadow->memory, NULL, policy->max_body);
    shadow->asked = 1u << ANSWER_FIRST;
    capture_init(&shadow->body, &shadow->memory, NULL, policy->max_body);
    shadow_copy_request(shadow, request);
    return shadow;
}

/* Takes one of the module's places. */
static bool enter(const struct shadow_policy *policy)
{
    _Atomic uint32_t *in_flight = &policy->state->in_flight;
    if (atomic_fetch_add_explicit(in_flight, 1, memory_order_relaxed) < policy->max_inflight)
        return true;
    atomic_fetch_sub_explicit(in_flight, 1, memory_order_relaxed);
    return false;
}

void shadow_begin(struct shadow_environment *environment, const struct shadow_request *request,
                  struct shadow **slot)
{
    const struct shadow_policy *policy = request->policy;
    count(environment, policy->metrics.sampled);
    environment->undecided++;
    enum shadow_drop refusal = refusal_of(environment, request);
    if (refusal == SHADOW_DROP_COUNT && !enter(policy))
        refusal = SHADOW_DROP_QUEUE_FULL;
    if (refusal != SHADOW_DROP_COUNT) {
        count_dropped(environment, policy, refusal);
        return;
    }
    struct shadow *shadow = shadow_new(environment, request);
    if (!shadow_memory_charge(&shadow->memory)) {
        drop(shadow, SHADOW_DROP_MEMORY);
        return;
    }
    shadow->slot = slot;
    *slot = shadow;
    list_append(&environment->live, &shadow->node);
    if (!request->request->has_body)
        shadow_request_end(shadow);
    if (list_is_empty(&shadow->start)) /* what it waits for may take time */
        be_patient(shadow);
}

/* --- what the exchange tells ----------------------------------------------------------------- */

/* A read goes as soon as it is whole; a write after the first side has answered, so that it never
 * gets ahead. The client's request comes first, and all others of the turn. */
static void start_if_ready(struct shadow *shadow)
{
    bool may = shadow->request_whole && (!shadow->is_write || shadow->answers[ANSWER_FIRST].whole);
    if (!may || shadow->phase != SHADOW_COPYING || !list_is_empty(&shadow->start))
        return;
    list_append(&shadow->environment->ready, &shadow->start);
    task_schedule(&shadow->environment->io->loop, &shadow->environment->start);
}

/* Nothing that the exchange could still tell matters: the request is known, and the first answer or
 * that it is too long to be compared. */
static void detach_if_told_all(struct shadow *shadow)
{
    const struct capture *first = &shadow->answers[ANSWER_FIRST];
    bool first_is_known = first->whole || (first->cut_off && !shadow->is_write);
    if (!shadow->request_whole || !first_is_known)
        return;
    detach(shadow);
    go_on(shadow);
}

void shadow_request_body(struct shadow *shadow, const char *data, size_t length)
{
    bool too_long = length > shadow->body.bytes_max - shadow->body.length;
    capture_body(&shadow->body, data, length);
    if (shadow->body.cut_off)
        drop(shadow, too_long ? SHADOW_DROP_BODY_LIMIT : SHADOW_DROP_MEMORY);
}

void shadow_request_end(struct shadow *shadow)
{
    shadow->request_whole = true;
    if (shadow->requests[0].has_body) {
        shadow->requests[0].content_length = (int64_t)shadow->body.length;
        shadow->requests[1].content_length = (int64_t)shadow->body.length;
    }
    start_if_ready(shadow);
    detach_if_told_all(shadow);
}

void shadow_first_head(struct shadow *shadow, const struct response_head *head)
{
    capture_head(&shadow->answers[ANSWER_FIRST], head);
    const struct header_field *location =
        headers_find_name(&shadow->answers[ANSWER_FIRST].headers, STRVIEW("location"));
    if (shadow->is_write && location != NULL)
        shadow_add_field(shadow, 1, "x-strangler-first-location", location->value);
    detach_if_told_all(shadow);
}

void shadow_first_body(struct shadow *shadow, const char *data, size_t length)
{
    capture_body(&shadow->answers[ANSWER_FIRST], data, length);
    detach_if_told_all(shadow);
}

void shadow_first_end(struct shadow *shadow)
{
    struct capture *first = &shadow->answers[ANSWER_FIRST];
    first->whole = true;
    first->duration_us = shadow->environment->io->loop.now_us - shadow->began_us;
    start_if_ready(shadow);
    detach_if_told_all(shadow);
}

void shadow_let_go(struct shadow *shadow)
{
    detach(shadow);
    if (shadow->phase == SHADOW_COPYING)
        drop(shadow, SHADOW_DROP_CLIENT_GONE);
    else
        go_on(shadow);
}
