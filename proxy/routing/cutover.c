#include "proxy/routing/cutover.h"

#include "proxy/routing/bucket.h"

static struct cutover decided(enum side side, enum reason reason)
{
    return (struct cutover){.side = side, .reason = reason};
}

static struct cutover decide_by_bucket(const struct module *module, const struct identity *identity)
{
    if (identity->value.length == 0)
        return decided(SIDE_LEGACY, REASON_NO_IDENTITY);
    uint32_t bucket = bucket_of(module->cohort, identity->value);
    bool extracted = bucket_is_extracted(bucket, module->threshold);
    return (struct cutover){.side = extracted ? SIDE_EXTRACTED : SIDE_LEGACY,
                            .reason = REASON_BUCKET,
                            .has_bucket = true,
                            .bucket = bucket};
}

static struct cutover decide_by_stage(const struct module *module, const struct identity *identity)
{
    if (module->stage == STAGE_RAMP)
        return decide_by_bucket(module, identity);
    return decided(module->stage == STAGE_LIVE ? SIDE_EXTRACTED : SIDE_LEGACY, REASON_STAGE);
}

bool cutover_is_closed(const struct module *module, enum side side)
{
    if (side == SIDE_EXTRACTED)
        return module->stage == STAGE_LEGACY || module->stage == STAGE_SHADOW;
    return side == SIDE_LEGACY && module->stage == STAGE_RETIRED;
}

static bool is_open_wish(const struct module *module, enum side side)
{
    return side != SIDE_NONE && !cutover_is_closed(module, side);
}

static struct cutover decide_read(const struct module *module, const struct cutover_facts *facts)
{
    if (module->stage == STAGE_RETIRED)
        return decided(SIDE_EXTRACTED, REASON_RETIRED);
    if (module->aborted)
        return decided(SIDE_LEGACY, REASON_ABORT);
    if (is_open_wish(module, facts->override))
        return decided(facts->override, REASON_OVERRIDE);
    if (is_open_wish(module, facts->pin))
        return decided(facts->pin, REASON_PIN);
    return decide_by_stage(module, facts->identity);
}

/* Where the identity's reads go by themselves: a pin would hold a busy writer for ever. */
static struct cutover decide_following(const struct module *module, const struct identity *identity)
{
    struct cutover cutover =
        module->aborted ? decided(SIDE_LEGACY, REASON_ABORT) : decide_by_stage(module, identity);
    cutover.reason = REASON_WRITE_OWNER;
    return cutover;
}

static struct cutover decide_write(const struct module *module, const struct cutover_facts *facts)
{
    if (module->stage == STAGE_RETIRED)
        return decided(SIDE_EXTRACTED, REASON_RETIRED);
    if (module->frozen)
        return decided(SIDE_NONE, REASON_FREEZE);
    if (module->shared_store && !module->aborted && is_open_wish(module, facts->override))
        return decided(facts->override, REASON_OVERRIDE);
    if (module->write_owner == WRITE_OWNER_FOLLOW)
        return decide_following(module, facts->identity);
    bool extracted = module->write_owner == WRITE_OWNER_EXTRACTED;
    return decided(extracted ? SIDE_EXTRACTED : SIDE_LEGACY, REASON_WRITE_OWNER);
}

struct cutover cutover_decide(const struct module *module, const struct cutover_facts *facts)
{
    return facts->is_write ? decide_write(module, facts) : decide_read(module, facts);
}
