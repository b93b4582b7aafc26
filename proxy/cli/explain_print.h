/* What `explain` found out, in words for a person and as JSON for a program. */
#ifndef CLI_EXPLAIN_PRINT_H
#define CLI_EXPLAIN_PRINT_H

#include <stdio.h>

#include "proxy/config/settings.h"
#include "proxy/config/snapshot.h"
#include "proxy/http/request_check.h"

struct explanation {
    const struct settings *settings;
    const struct snapshot *snapshot;
    const struct request_head *request;
    struct ip_address client;
    struct request_verdict verdict; /* a status here: refused before it was planned */
    struct plan plan;
    const struct identity_source *source; /* that gave the identity, or NULL */
    bool guard_by_spelling;               /* refused because of another reading of the path */
};

void explain_print(const struct explanation *explanation, FILE *out);
void explain_print_json(const struct explanation *explanation, FILE *out);

#endif
