#include "proxy/exchange/retry.h"

enum { RETRY_COST = 100, CREDIT_MAX = 100 * RETRY_COST, CREDIT_FIRST = CREDIT_MAX };

void retry_budget_init(struct retry_budget *budget)
{
    budget->credit = CREDIT_FIRST;
}

void retry_budget_add(struct retry_budget *budget)
{
    if (budget->credit < CREDIT_MAX)
        budget->credit += RETRY_BUDGET_PERCENT;
}

/* Might the same request succeed elsewhere, or on a fresh connection? */
static bool is_worth_it(const struct attempt_facts *facts)
{
    switch (facts->fault) {
    case BACKEND_FAULT_CONNECT:
    case BACKEND_FAULT_CONNECT_TIMEOUT:
    case BACKEND_FAULT_MALFORMED:
    case BACKEND_FAULT_HEADER_LIMIT:
    case BACKEND_FAULT_FIRST_BYTE_TIMEOUT:
    case BACKEND_FAULT_TLS:
        return facts->endpoint_count > 1;
    case BACKEND_FAULT_REFUSED:
        return true;
    case BACKEND_FAULT_RESET:
        return facts->reused || facts->endpoint_count > 1;
    case BACKEND_FAULT_OVERLOAD:
    case BACKEND_FAULT_IDLE_TIMEOUT:
    case BACKEND_FAULT_TOTAL_TIMEOUT:
    case BACKEND_FAULT_NO_ENDPOINT:
    case BACKEND_FAULT_STATUS:
    case BACKEND_FAULT_COUNT:
        break;
    }
    return false;
}

static bool may_retry(const struct attempt_facts *facts)
{
    return facts->retries < RETRIES_MAX && !facts->still_running &&
           (facts->is_read || facts->unprocessed) && is_worth_it(facts);
}

/* Whatever keeps the client from an answer, but for a time that is over in any case. */
static bool may_fall_back(const struct attempt_facts *facts)
{
    return facts->may_fall_back && facts->is_read && facts->fault != BACKEND_FAULT_TOTAL_TIMEOUT;
}

enum next_attempt next_attempt_decide(const struct attempt_facts *facts,
                                      struct retry_budget *budget)
{
    if (facts->answer_started || facts->body_given || budget->credit < RETRY_COST)
        return NEXT_ATTEMPT_NONE;
    enum next_attempt next = may_retry(facts)       ? NEXT_ATTEMPT_RETRY
                             : may_fall_back(facts) ? NEXT_ATTEMPT_FALLBACK
                                                    : NEXT_ATTEMPT_NONE;
    if (next != NEXT_ATTEMPT_NONE)
        budget->credit -= RETRY_COST;
    return next;
}

int status_of_fault(enum backend_fault fault)
{
    switch (fault) {
    case BACKEND_FAULT_CONNECT_TIMEOUT:
    case BACKEND_FAULT_FIRST_BYTE_TIMEOUT:
    case BACKEND_FAULT_IDLE_TIMEOUT:
    case BACKEND_FAULT_TOTAL_TIMEOUT:
        return 504;
    case BACKEND_FAULT_OVERLOAD:
    case BACKEND_FAULT_NO_ENDPOINT:
        return 503;
    case BACKEND_FAULT_CONNECT:
    case BACKEND_FAULT_RESET:
    case BACKEND_FAULT_REFUSED:
    case BACKEND_FAULT_MALFORMED:
    case BACKEND_FAULT_HEADER_LIMIT:
    case BACKEND_FAULT_TLS:
    case BACKEND_FAULT_STATUS:
    case BACKEND_FAULT_COUNT:
        break;
    }
    return 502;
}
