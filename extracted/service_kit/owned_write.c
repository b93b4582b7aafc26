#include "extracted/service_kit/owned_write.h"

#include "extracted/service_kit/ownership.h"
#include "extracted/service_kit/problem.h"
#include "extracted/service_kit/service_state.h"

bool owned_write_begin(struct database *database, const struct http_request *request,
                       struct http_reply *reply)
{
    const char *aggregate = request->state->feeds->aggregate;
    struct ownership ownership;
    if (!database_transaction_begin(database)) {
        http_reply_fault(reply);
        return false;
    }
    bool is_known = ownership_read(database, aggregate, &ownership);
    if (is_known && ownership.is_ours)
        return true;
    database_transaction_end(database, false);
    if (is_known)
        problem_reply_not_owner(reply, aggregate, &ownership);
    else
        http_reply_fault(reply);
    return false;
}

bool owned_write_end(struct database *database, struct http_reply *reply, bool is_good)
{
    if (database_transaction_end(database, is_good))
        return true;
    http_reply_fault(reply);
    return false;
}
