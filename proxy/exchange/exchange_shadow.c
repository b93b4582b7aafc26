/* The copy of a request for the other side: what the exchange gives it at its beginning. */
#include "proxy/exchange/exchange_internal.h"

static void hold_snapshot(void *snapshot)
{
    snapshot_ref(snapshot);
}

static void release_snapshot(void *snapshot)
{
    snapshot_unref(snapshot);
}

static uint64_t random_number(struct exchange *exchange)
{
    uint64_t number;
    memcpy(&number, entropy_take(&exchange->environment->entropy, sizeof(number)), sizeof(number));
    return number;
}

void exchange_begin_shadow(struct exchange *exchange)
{
    struct snapshot *snapshot = exchange_snapshot(exchange);
    const struct plan *plan = &exchange->plan;
    const struct shadow_request request = {
        .policy = &snapshot->shadows[plan->module - snapshot->modules->modules],
        .first_backend = exchange->backend,
        .second_backend = &snapshot->backends[plan->shadow_backend],
        .second_side = plan->side == SIDE_LEGACY ? SIDE_EXTRACTED : SIDE_LEGACY,
        .original_path = exchange->request->path,
        .first_path = plan->path,
        .second_path = plan->shadow_path,
        .route = plan->route->name,
        .is_write = plan->is_write,
        .is_upgrade = exchange->tunnel != TUNNEL_NONE,
        .request = &exchange->backend_request,
        .request_id = exchange->request_id,
        .random = random_number(exchange),
        .holder = {snapshot, hold_snapshot, release_snapshot},
    };
    shadow_begin(exchange->environment->shadows, &request, &exchange->shadow);
    exchange->shadowed = exchange->shadow != NULL;
}

void exchange_let_shadow_go(struct exchange *exchange)
{
    if (exchange->shadow != NULL)
        shadow_let_go(exchange->shadow);
}
