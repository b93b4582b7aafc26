#include "extracted/service_kit/owned_write.h"

#include "extracted/service_kit/service_state.h"

bool owned_write_open(struct database *database, const struct http_request *request,
                      struct outcome *ret_outcome)
{
    struct outcome outcome = {.kind = OUTCOME_BROKEN,
                              .aggregate = request->state->feeds->aggregate};
    if (!database_transaction_begin(database)) {
        *ret_outcome = outcome;
        return false;
    }
    bool is_known = ownership_read(database, outcome.aggregate, &outcome.ownership);
    if (is_known && outcome.ownership.is_ours)
        return true;
    database_transaction_end(database, false);
    outcome.kind = is_known ? OUTCOME_NOT_OWNER : OUTCOME_BROKEN;
    *ret_outcome = outcome;
    return false;
}

struct outcome owned_write_close(struct database *database, struct outcome outcome)
{
    bool is_done = outcome.kind == OUTCOME_DONE;
    if (!database_transaction_end(database, is_done) && is_done)
        return outcome_of(OUTCOME_BROKEN);
    return outcome;
}
