/*
 * Secrets out of what is kept of a request and its answers: what Authorization and cookies said, at
 * every place where it turns up again, and configured places in JSON. In their stead stands a keyed
 * hash, so that two that were equal stay equal. The compare thread.
 */
#ifndef SHADOW_REDACT_H
#define SHADOW_REDACT_H

#include "proxy/compare/path_pattern.h"
#include "proxy/core/arena.h"
#include "proxy/http/headers.h"

enum { REDACT_SECRETS_MAX = 64, REDACT_SECRET_BYTES_MIN = 6 };

struct redaction {
    uint64_t key; /* random, of this process */
    struct strview secrets[REDACT_SECRETS_MAX];
    uint32_t count;
    bool overflow; /* more than could be listed: then no text is shown at all */
};

void redaction_init(struct redaction *redaction, uint64_t key);

/* The values of Authorization, Cookie and Set-Cookie among `headers` become secrets; views them. */
void redaction_add_headers(struct redaction *redaction, const struct headers *headers);

/* The values at these places of a JSON text become secrets, in the arena; what is no JSON has none.
 */
void redaction_add_json(struct redaction *redaction, const struct path_pattern_list *places,
                        struct strview json, struct arena *arena);

/* The text without secrets: itself, or a copy in the arena. */
struct strview redact_text(const struct redaction *redaction, struct strview text,
                           struct arena *arena);

/* "name: value" lines, secrets and the values of fields that hold them replaced. */
struct strview redact_headers(const struct redaction *redaction, const struct headers *headers,
                              struct arena *arena);

/* A query with its names, and "…" for values. */
struct strview redact_query(struct strview query, struct arena *arena);

#endif
