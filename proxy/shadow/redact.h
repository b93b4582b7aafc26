/*
 * Secrets out of what is kept of a request and its answers: what Authorization and cookies said,
 * and fields that are configured, at every place where it turns up again, as it was or escaped; and
 * configured places in JSON, whatever stands there. In their stead stands a keyed hash, so that two
 * that were equal stay equal. The compare thread.
 */
#ifndef SHADOW_REDACT_H
#define SHADOW_REDACT_H

#include "proxy/compare/path_pattern.h"
#include "proxy/core/arena.h"
#include "proxy/http/headers.h"

/* A shorter one is taken out only where it is known to be one: it may be an ordinary word. */
enum { REDACT_SECRETS_MAX = 256, REDACT_SECRET_BYTES_MIN = 6 };

/* What is to be kept secret besides credentials; part of a policy, const. */
struct redact_rules {
    struct path_pattern_list places; /* in JSON */
    const struct strview *headers;   /* lower-case names */
    uint32_t header_count;
};

struct redaction {
    const struct redact_rules *rules;
    uint64_t key; /* random, of this process */
    struct arena *arena;
    struct strview secrets[REDACT_SECRETS_MAX];
    uint32_t count;
    bool overflow;         /* more than could be listed: then no text is shown at all */
    uint64_t beginning[4]; /* a bit for each byte that a secret begins with */
};

/* What is found out and written from now on lies in the arena. */
void redaction_init(struct redaction *redaction, const struct redact_rules *rules, uint64_t key,
                    struct arena *arena);

/* The values of credentials, cookies and configured fields among `headers` become secrets. */
void redaction_add_headers(struct redaction *redaction, const struct headers *headers);

/* The values at the configured places of a JSON text become secrets; what is no JSON has none. */
void redaction_add_json(struct redaction *redaction, struct strview json);

/* The same of a form, or a query without "?": its fields are members at the top. */
void redaction_add_form(struct redaction *redaction, struct strview form);

/* The text without secrets: itself, or a copy. */
struct strview redact_text(const struct redaction *redaction, struct strview text);

/* The same for a body that may be JSON, which stays JSON. Where places are configured nothing is
 * shown of one that begins as JSON does and cannot be read: they cannot be found in it. */
struct strview redact_body(const struct redaction *redaction, struct strview body);

/* The value of a field; nothing of one that holds secrets. */
struct strview redact_field(const struct redaction *redaction, const struct header_field *field);

/* "name: value" lines, secrets and the values of fields that hold them replaced. */
struct strview redact_headers(const struct redaction *redaction, const struct headers *headers);

/* A query with its names, and "…" for values. */
struct strview redact_query(struct strview query, struct arena *arena);

#endif
