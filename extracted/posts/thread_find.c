#include "extracted/posts/thread_find.h"

#include "extracted/posts/posts_queries.h"
#include "extracted/service_kit/catch_up.h"

static enum outcome_kind look(struct database *database, int64_t thread)
{
    sqlite3_stmt *row = database_begin(database, QUERY_THREAD);
    sqlite3_bind_int64(row, 1, thread);
    bool found = database_next(row);
    if (!database_end(database, row))
        return OUTCOME_BROKEN;
    return found ? OUTCOME_DONE : OUTCOME_NOT_FOUND;
}

bool thread_find(struct database *database, const struct http_request *request,
                 struct http_reply *reply, int64_t thread, struct outcome *ret_outcome)
{
    enum outcome_kind kind = look(database, thread);
    if (kind == OUTCOME_NOT_FOUND) {
        switch (catch_up_feed(request, reply, "threads")) {
        case CATCH_UP_RUNS:
            return false;
        case CATCH_UP_REACHED:
            break;
        case CATCH_UP_BROKE:
            kind = OUTCOME_OUT_OF_REACH;
            break;
        }
    }
    *ret_outcome = outcome_of(kind);
    return true;
}
