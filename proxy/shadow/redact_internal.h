/* Which values are secrets: shared by redact_secrets.c, which knows, and redact.c. */
#ifndef SHADOW_REDACT_INTERNAL_H
#define SHADOW_REDACT_INTERNAL_H

#include "proxy/compare/json_tree.h"
#include "proxy/shadow/redact.h"

/* A field whose value nobody may see. */
bool redact_is_secret_field(const struct redact_rules *rules, struct strview name);

/* Calls for each value that is neither object nor array, in the order of the text. */
void redact_walk(const struct redact_rules *rules, const struct json_tree *tree,
                 void (*on_value)(void *owner, const struct json_node *node, bool is_secret),
                 void *owner);

#endif
