/* What the secrets of a request and its answers are, and how else they may be written. */
#include "proxy/shadow/redact.h"

#include "proxy/shadow/redact_internal.h"

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

static int hex_value(char c)
{
    char lower = ascii_lower(c);
    if (c >= '0' && c <= '9')
        return c - '0';
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

static struct strview percent_decoded(struct arena *arena, struct strview text)
{
    char *out = arena_alloc(arena, text.length);
    size_t used = 0;
    for (size_t i = 0; i < text.length; i++) {
        bool coded = text.data[i] == '%' && text.length - i > 2 &&
                     hex_value(text.data[i + 1]) >= 0 && hex_value(text.data[i + 2]) >= 0;
        if (!coded) {
            out[used++] = text.data[i];
            continue;
        }
        out[used++] = (char)(hex_value(text.data[i + 1]) * 16 + hex_value(text.data[i + 2]));
        i += 2;
    }
    return strview_make(out, used);
}

static bool is_unreserved(char c)
{
    char lower = ascii_lower(c);
    return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
           c == '_' || c == '~';
}

static struct strview percent_encoded(struct arena *arena, struct strview text, const char *digits)
{
    char *out = arena_alloc(arena, 3 * text.length);
    size_t used = 0;
    for (size_t i = 0; i < text.length; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (is_unreserved(text.data[i])) {
            out[used++] = text.data[i];
            continue;
        }
        out[used++] = '%';
        out[used++] = digits[c / 16];
        out[used++] = digits[c % 16];
    }
    return strview_make(out, used);
}

static struct strview html_escape_of(char c)
{
    switch (c) {
    case '&':
        return STRVIEW("&amp;");
    case '<':
        return STRVIEW("&lt;");
    case '>':
        return STRVIEW("&gt;");
    case '"':
        return STRVIEW("&quot;");
    case '\'':
        return STRVIEW("&#39;");
    default:
        return STRVIEW("");
    }
}

static struct strview html_escaped(struct arena *arena, struct strview text)
{
    char *out = arena_alloc(arena, 6 * text.length);
    size_t used = 0;
    for (size_t i = 0; i < text.length; i++) {
        struct strview escape = html_escape_of(text.data[i]);
        if (escape.length == 0)
            escape = strview_make(text.data + i, 1);
        memcpy(out + used, escape.data, escape.length);
        used += escape.length;
    }
    return strview_make(out, used);
}

static void add_encoded(struct redaction *redaction, struct strview secret)
{
    struct arena *arena = redaction->arena;
    add_one(redaction, secret);
    add_one(redaction, percent_encoded(arena, secret, "0123456789ABCDEF"));
    add_one(redaction, percent_encoded(arena, secret, "0123456789abcdef"));
    add_one(redaction, html_escaped(arena, secret));
}

/* As it is, and as a page, an address or a cookie would write it. */
static void add_secret(struct redaction *redaction, struct strview secret)
{
    if (secret.length < REDACT_SECRET_BYTES_MIN)
        return;
    add_encoded(redaction, secret);
    if (memchr(secret.data, '%', secret.length) != NULL)
        add_encoded(redaction, percent_decoded(redaction->arena, secret));
}

/* --- fields -------------------------------------------------------------------------------- */

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
