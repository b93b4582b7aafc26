#include "monolith_stub/feeds/owned_write.h"

#include "monolith_stub/writer.h"

struct store *owned_write_begin(struct forum *forum, enum aggregate aggregate,
                                struct outcome *ret_outcome)
{
    struct store *store = writer_begin(forum->writer);
    if (store == NULL) {
        *ret_outcome = outcome_of(OUTCOME_BROKEN);
        return NULL;
    }
    struct ownership ownership = {0};
    bool is_known = ownership_read(store, aggregate, &ownership);
    if (is_known && ownership.is_ours)
        return store;
    writer_rollback(forum->writer);
    *ret_outcome = outcome_of(is_known ? OUTCOME_NOT_OWNER : OUTCOME_BROKEN);
    ret_outcome->ownership = ownership;
    return NULL;
}

struct outcome owned_write_end(struct forum *forum, struct outcome outcome)
{
    if (outcome.kind != OUTCOME_DONE) {
        writer_rollback(forum->writer);
        return outcome;
    }
    return writer_commit(forum->writer) ? outcome : outcome_of(OUTCOME_BROKEN);
}
