/* What the secrets of a request and its answers are, and how else they may be written. */
#include "proxy/shadow/redact.h"

#include "proxy/shadow/redact_internal.h"
#include "proxy/shadow/redact_spelling.h"

void redaction_init(struct redaction *redaction, const struct redact_rules *rules, uint64_t key,
                    struct arena *arena)
{
    *redaction = (struct redaction){.rules = rules, .key = key, .arena = arena};
}

static void add_one(struct redaction *redaction, struct strview secret)
{
    if (secret.length < REDACT_SECRET_BYTES_MIN)
        return;
    for (uint32_t i = 0; i < redaction->count; i++) {
        if (strview_equal(redaction->secrets[i], secret))
            return;
    }
    if (redaction->count == REDACT_SECRETS_MAX) {
        redaction->overflow = true;
        return;
    }
    unsigned char first = (unsigned char)secret.data[0];
    redaction->beginning[first / 64] |= UINT64_C(1) << (first % 64);
    redaction->secrets[redaction->count++] = secret;
}

/* --- in other words ------------------------------------------------------------------------ */

static void add_encoded(struct redaction *redaction, struct strview secret)
{
    struct arena *arena = redaction->arena;
    add_one(redaction, secret);
    add_one(redaction, spelling_percent_encoded(arena, secret, "0123456789ABCDEF"));
    add_one(redaction, spelling_percent_encoded(arena, secret, "0123456789abcdef"));
    add_one(redaction, spelling_html_escaped(arena, secret));
}

/* As it is, and as a page, an address or a cookie would write it. */
static void add_secret(struct redaction *redaction, struct strview secret)
{
    if (secret.length < REDACT_SECRET_BYTES_MIN)
        return;
    add_encoded(redaction, secret);
    if (memchr(secret.data, '%', secret.length) != NULL)
        add_encoded(redaction, spelling_percent_decoded(redaction->arena, secret));
}

/* --- fields -------------------------------------------------------------------------------- */

/* The values of "a=1; b=2"; a cookie may be without a name, and its value in quotes. */
static void add_cookies(struct redaction *redaction, struct strview list)
{
    while (list.length > 0) {
        size_t length = strview_find(list, ';');
        struct strview pair = strview_trim(strview_make(list.data, length));
        size_t equals = strview_find(pair, '=');
        struct strview value = equals < pair.length ? strview_from(pair, equals + 1) : pair;
        add_secret(redaction, value);
        if (value.length > 2 && value.data[0] == '"' && value.data[value.length - 1] == '"')
            add_secret(redaction, strview_make(value.data + 1, value.length - 2));
        list = strview_from(list, length < list.length ? length + 1 : length);
    }
}

/* "user:password" (RFC 7617 section 2): the whole, and the password. */
static void add_basic(struct redaction *redaction, struct strview encoded)
{
    struct strview pair = spelling_base64_decoded(redaction->arena, encoded);
    size_t colon = strview_find(pair, ':');
    add_secret(redaction, pair);
    if (colon < pair.length)
        add_secret(redaction, strview_from(pair, colon + 1));
}

/* "Bearer abc": both the whole and what stands behind the scheme. */
static void add_credentials(struct redaction *redaction, struct strview value)
{
    size_t space = strview_find(value, ' ');
    add_secret(redaction, value);
    if (space == value.length)
        return;
    struct strview rest = strview_trim(strview_from(value, space + 1));
    add_secret(redaction, rest);
    if (strview_equal_ignore_case(strview_make(value.data, space), STRVIEW("basic")))
        add_basic(redaction, rest);
}

static bool holds_credentials(const struct redact_rules *rules, struct strview name)
{
    for (uint32_t i = 0; i < rules->header_count; i++) {
        if (strview_equal(name, rules->headers[i]))
            return true;
    }
    return strview_equal(name, STRVIEW("authorization")) ||
           strview_equal(name, STRVIEW("proxy-authorization")) ||
           strview_equal(name, STRVIEW("x-strangler-token"));
}

static bool holds_cookies(struct strview name)
{
    return strview_equal(name, STRVIEW("cookie")) || strview_equal(name, STRVIEW("set-cookie"));
}

bool redact_is_secret_field(const struct redact_rules *rules, struct strview name)
{
    return holds_credentials(rules, name) || holds_cookies(name);
}

void redaction_add_headers(struct redaction *redaction, const struct headers *headers)
{
    for (uint32_t i = 0; i < headers->count; i++) {
        const struct header_field *field = &headers->fields[i];
        struct strview value = field->value;
        if (holds_credentials(redaction->rules, field->name))
            add_credentials(redaction, value);
        else if (strview_equal(field->name, STRVIEW("set-cookie")))
            add_cookies(redaction, strview_make(value.data, strview_find(value, ';')));
        else if (holds_cookies(field->name))
            add_cookies(redaction, value);
    }
}

/* --- places in JSON ------------------------------------------------------------------------ */

struct walk {
    const struct path_pattern_list *places;
    const struct json_tree *tree;
    void (*on_value)(void *owner, const struct json_node *node, bool is_secret);
    void *owner;
};

static void walk_node(const struct walk *walk, uint32_t index, const struct path_cursor *cursor,
                      bool is_secret)
{
    const struct json_node *node = &walk->tree->nodes[index];
    struct path_cursor below;
    if (node->kind != JSON_OBJECT && node->kind != JSON_ARRAY)
        walk->on_value(walk->owner, node, is_secret);
    uint32_t place = 0;
    for (uint32_t child = index + 1; child < node->end; child = walk->tree->nodes[child].end) {
        bool matches = node->kind == JSON_OBJECT
                           ? path_cursor_enter_member(walk->places, cursor,
                                                      walk->tree->nodes[child].name, &below)
                           : path_cursor_enter_element(walk->places, cursor, place++, &below);
        walk_node(walk, child, &below, is_secret || matches);
    }
}

void redact_walk(const struct redact_rules *rules, const struct json_tree *tree,
                 void (*on_value)(void *owner, const struct json_node *node, bool is_secret),
                 void *owner)
{
    const struct walk walk = {&rules->places, tree, on_value, owner};
    struct path_cursor cursor;
    path_cursor_init(&cursor, walk.places);
    walk_node(&walk, 0, &cursor, false);
}

static void on_value(void *owner, const struct json_node *node, bool is_secret)
{
    struct redaction *redaction = owner;
    if (is_secret && (node->kind == JSON_STRING || node->kind == JSON_NUMBER))
        add_secret(redaction, arena_copy(redaction->arena, node->text));
}

void redaction_add_json(struct redaction *redaction, struct strview json)
{
    struct json_tree tree;
    struct arena scratch;
    if (redaction->rules->places.count == 0)
        return;
    arena_init(&scratch, NULL);
    if (json_tree_read(&scratch, json, &tree) == NULL)
        redact_walk(redaction->rules, &tree, on_value, redaction);
    arena_done(&scratch);
}

/* --- places in forms ------------------------------------------------------------------------- */

void redaction_add_form(struct redaction *redaction, struct strview form)
{
    struct arena *arena = redaction->arena;
    struct path_cursor top;
    struct path_cursor below;
    path_cursor_init(&top, &redaction->rules->places);
    while (form.length > 0 && redaction->rules->places.count > 0) {
        size_t length = strview_find(form, '&');
        struct strview pair = strview_make(form.data, length);
        size_t equals = strview_find(pair, '=');
        struct strview name = spelling_form_decoded(arena, strview_make(pair.data, equals));
        if (equals < pair.length &&
            path_cursor_enter_member(&redaction->rules->places, &top, name, &below))
            add_secret(redaction, spelling_form_decoded(arena, strview_from(pair, equals + 1)));
        form = strview_from(form, length < form.length ? length + 1 : length);
    }
}
