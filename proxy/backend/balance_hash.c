/*
 * The same endpoint for the same key, by rendezvous (Thaler and Ravishankar 1998): each endpoint
 * draws a number from the key and the greatest wins, so that one that goes away moves only its own
 * keys. Weighted as -weight / ln(draw) (Schindelhauer and Schomaker 2005). What comes next for a
 * key takes over while requests pile up at its endpoint (bounded loads; Mirrokni and others 2016).
 */
#include <math.h>

#include "proxy/backend/balance.h"

/* Uniform in (0, 1). */
static double unit_of(uint64_t bits)
{
    return ((double)(bits >> 12) + 0.5) * 0x1p-52;
}

static double score_of(const struct balance_view *view, const struct endpoint_slot *slot)
{
    double draw = unit_of(balance_mix(view->facts->key ^ slot->state->hash));
    return view->set->weighted ? -(double)slot->weight / log(draw) : draw;
}

/* Requests under way: fewer may be one person's, who should not be torn between endpoints. */
enum { PILE = 16 };

#define TROUBLE_PILED_UP UINT64_C(1)

static uint64_t trouble_of(const struct balance_view *view, const struct endpoint_slot *slot,
                           uint64_t cost, struct balance_load *load)
{
    if (cost >= COST_SILENT)
        return cost & (COST_SILENT | COST_DOWN | COST_TRIED);
    return balance_is_piled_up(view, slot, PILE, load) ? TROUBLE_PILED_UP : 0;
}

const struct endpoint_slot *balance_hash(const struct balance_view *view)
{
    const struct endpoint_slot *best = NULL;
    struct balance_load load = {0};
    uint64_t best_trouble = 0;
    double best_score = 0;
    for (uint32_t i = 0; i < view->set->count; i++) {
        const struct endpoint_slot *slot = &view->set->slots[i];
        uint64_t cost = balance_cost(view, slot);
        if (cost == COST_CLOSED)
            continue;
        uint64_t trouble = trouble_of(view, slot, cost, &load);
        double score = score_of(view, slot);
        if (best == NULL || trouble < best_trouble ||
            (trouble == best_trouble && score > best_score)) {
            best = slot;
            best_trouble = trouble;
            best_score = score;
        }
    }
    return best;
}
