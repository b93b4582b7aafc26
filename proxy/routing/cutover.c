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

static struct cutover decide_read(const struct module *module, const struct identity *identity)
{
    if (module->stage == STAGE_RETIRED)
        return decided(SIDE_EXTRACTED, REASON_RETIRED);
    if (module->aborted)
        return decided(SIDE_LEGACY, REASON_ABORT);
    if (module->stage == STAGE_RAMP)
        return decide_by_bucket(module, identity);
    return decided(module->stage == STAGE_LIVE ? SIDE_EXTRACTED : SIDE_LEGACY, REASON_STAGE);
}

static struct cutover decide_write(const struct module *module, const struct identity *identity)
{
    if (module->stage == STAGE_RETIRED)
        return decided(SIDE_EXTRACTED, REASON_RETIRED);
    if (module->frozen)
        return decided(SIDE_NONE, REASON_FREEZE);
    if (module->write_owner == WRITE_OWNER_FOLLOW) {
        struct cutover cutover = decide_read(module, identity);
        cutover.reason = REASON_WRITE_OWNER;
        return cutover;
    }
    bool extracted = module->write_owner == WRITE_OWNER_EXTRACTED;
    return decided(extracted ? SIDE_EXTRACTED : SIDE_LEGACY, REASON_WRITE_OWNER);
}

struct cutover cutover_decide(const struct module *module, bool is_write,
                              const struct identity *identity)
{
    return is_write ? decide_write(module, identity) : decide_read(module, identity);
}
