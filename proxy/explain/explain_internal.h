/* What explaining found out, on its way from the planner into words. Internal; one thread. */
#ifndef EXPLAIN_EXPLAIN_INTERNAL_H
#define EXPLAIN_EXPLAIN_INTERNAL_H

#include "proxy/explain/explain.h"
#include "proxy/http/request_check.h"

struct explanation {
    const struct snapshot *snapshot;
    struct request_head request;
    struct ip_address client;
    uint64_t now_ms;                /* Unix time */
    struct request_verdict verdict; /* a status here: refused before it was planned */
    struct plan plan;
    const struct identity_source *source; /* that gave the identity, or NULL */
    bool guard_by_spelling;               /* refused because of another reading of the path */
};

/* explain_request.c: the request as a client's session would have read it. */
bool explain_make_request(const struct snapshot *snapshot, const struct explain_words *words,
                          struct arena *arena, struct request_head *ret_request,
                          struct fault *fault);

/* explain_why.c: a sentence. */
const char *explain_why(const struct explanation *explanation);

/* explain_wishes.c: null when the request has none. */
json_t *explain_json_override(const struct explanation *explanation);
json_t *explain_json_pin(const struct explanation *explanation);

/* explain_json.c */
json_t *explain_json(const struct explanation *explanation);

#endif
