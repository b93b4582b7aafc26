#include "proxy/shadow/redact.h"

#include <inttypes.h>
#include <stdlib.h>
#include <xxhash.h>

#include "proxy/compare/json_tree.h"

enum { MARK_BYTES = 32 };

void redaction_init(struct redaction *redaction, uint64_t key)
{
    *redaction = (struct redaction){.key = key};
}

static void add_secret(struct redaction *redaction, struct strview secret)
{
    if (secret.length < REDACT_SECRET_BYTES_MIN)
        return;
    if (redaction->count == REDACT_SECRETS_MAX) {
        redaction->overflow = true;
        return;
    }
    redaction->secrets[redaction->count++] = secret;
}

/* --- where secrets are
 * ------------------------------------------------------------------------------ */

/* The values of "a=1; b=2". */
static void add_cookies(struct redaction *redaction, struct strview list)
{
    while (list.length > 0) {
        size_t length = strview_find(list, ';');
        struct strview pair = strview_trim(strview_make(list.data, length));
        size_t equals = strview_find(pair, '=');
        if (equals < pair.length)
            add_secret(redaction, strview_from(pair, equals + 1));
        list = strview_from(list, length < list.length ? length + 1 : length);
    }
}

/* "Bearer abc": both the whole and what stands behind the scheme. */
static void add_credentials(struct redaction *redaction, struct strview value)
{
    size_t space = strview_find(value, ' ');
    add_secret(redaction, value);
    if (space < value.length)
        add_secret(redaction, strview_trim(strview_from(value, space + 1)));
}

static bool holds_credentials(struct strview name)
{
    return strview_equal(name, STRVIEW("authorization")) ||
           strview_equal(name, STRVIEW("proxy-authorization")) ||
           strview_equal(name, STRVIEW("x-strangler-token"));
}

static bool holds_cookies(struct strview name)
{
    return strview_equal(name, STRVIEW("cookie")) || strview_equal(name, STRVIEW("set-cookie"));
}

void redaction_add_headers(struct redaction *redaction, const struct headers *headers)
{
    for (uint32_t i = 0; i < headers->count; i++) {
        const struct header_field *field = &headers->fields[i];
        struct strview value = field->value;
        if (holds_credentials(field->name))
            add_credentials(redaction, value);
        else if (strview_equal(field->name, STRVIEW("set-cookie")))
            add_cookies(redaction, strview_make(value.data, strview_find(value, ';')));
        else if (holds_cookies(field->name))
            add_cookies(redaction, value);
    }
}

struct json_search {
    struct redaction *redaction;
    const struct path_pattern_list *places;
    const struct json_tree *tree;
};

static void search_node(const struct json_search *search, uint32_t index,
                        const struct path_cursor *cursor, bool secret)
{
    const struct json_node *node = &search->tree->nodes[index];
    struct path_cursor below;
    if (secret && node->count == 0) {
        add_secret(search->redaction, node->text);
        if (node->kind == JSON_STRING && !strview_equal(node->text, node->written))
            add_secret(search->redaction, node->written);
    }
    for (uint32_t i = 0; i < node->count; i++) {
        uint32_t child = node->sorted[i];
        bool matches = node->kind == JSON_OBJECT
                           ? path_cursor_enter_member(search->places, cursor,
                                                      search->tree->nodes[child].name, &below)
                           : path_cursor_enter_element(search->places, cursor, i, &below);
        search_node(search, child, &below, secret || matches);
    }
}

void redaction_add_json(struct redaction *redaction, const struct path_pattern_list *places,
                        struct strview json, struct arena *arena)
{
    struct json_tree tree;
    struct path_cursor cursor;
    if (places->count == 0 || json_tree_read(arena, json, &tree) != NULL)
        return;
    const struct json_search search = {redaction, places, &tree};
    path_cursor_init(&cursor, places);
    search_node(&search, 0, &cursor, false);
}

/* --- taking them out
 * ---------------------------------------------------------------------------------- */

static struct strview mark_of(const struct redaction *redaction, struct strview secret,
                              struct arena *arena)
{
    return arena_printf(arena, "(redacted %08" PRIx32 ")",
                        (uint32_t)XXH3_64bits_withSeed(secret.data, secret.length, redaction->key));
}

static const struct strview *secret_at(const struct redaction *redaction, struct strview text,
                                       size_t at)
{
    const struct strview *longest = NULL;
    struct strview rest = strview_from(text, at);
    for (uint32_t i = 0; i < redaction->count; i++) {
        const struct strview *secret = &redaction->secrets[i];
        if (strview_starts_with(rest, *secret) &&
            (longest == NULL || secret->length > longest->length))
            longest = secret;
    }
    return longest;
}

struct strview redact_text(const struct redaction *redaction, struct strview text,
                           struct arena *arena)
{
    if (redaction->overflow)
        return text.length > 0 ? STRVIEW("(redacted)") : text;
    if (redaction->count == 0)
        return text;
    /* A mark is longer than the shortest secrets. */
    char *out = arena_alloc(arena, text.length / REDACT_SECRET_BYTES_MIN * MARK_BYTES +
                                       text.length + MARK_BYTES);
    size_t used = 0;
    for (size_t i = 0; i < text.length;) {
        const struct strview *secret = secret_at(redaction, text, i);
        if (secret == NULL) {
            out[used++] = text.data[i++];
            continue;
        }
        struct strview mark = mark_of(redaction, *secret, arena);
        memcpy(out + used, mark.data, mark.length);
        used += mark.length;
        i += secret->length;
    }
    return strview_make(out, used);
}

struct strview redact_headers(const struct redaction *redaction, const struct headers *headers,
                              struct arena *arena)
{
    struct strview lines = STRVIEW("");
    for (uint32_t i = 0; i < headers->count; i++) {
        const struct header_field *field = &headers->fields[i];
        bool hidden = holds_credentials(field->name) || holds_cookies(field->name);
        struct strview value = hidden ? mark_of(redaction, field->value, arena)
                                      : redact_text(redaction, field->value, arena);
        lines = arena_printf(arena, "%.*s%.*s: %.*s\n", STRVIEW_ARGS(lines),
                             STRVIEW_ARGS(field->name), STRVIEW_ARGS(value));
    }
    return lines;
}

struct strview redact_query(struct strview query, struct arena *arena)
{
    struct strview text = STRVIEW("");
    while (query.length > 0) {
        size_t length = strview_find(strview_from(query, 1), '&') + 1;
        struct strview part = strview_make(query.data, length);
        size_t equals = strview_find(part, '=');
        text = arena_printf(arena, "%.*s%.*s%s", STRVIEW_ARGS(text),
                            STRVIEW_ARGS(strview_make(part.data, equals)),
                            equals < part.length ? "=…" : "");
        query = strview_from(query, length);
    }
    return text;
}
