/*
 * Taking secrets out. The first line is a Cookie field, the second an Authorization; what follows
 * is the body of an answer. No secret of six bytes or more is left in it, nor what stood at the
 * configured places, and JSON stays JSON.
 */
#include "tests/fuzz/fuzz.h"

#include "proxy/compare/json_tree.h"
#include "proxy/core/check.h"
#include "proxy/shadow/redact.h"

static struct strview take_line(struct strview *text)
{
    size_t length = strview_find(*text, '\n');
    struct strview line = strview_make(text->data, length);
    *text = strview_from(*text, length < text->length ? length + 1 : length);
    return line;
}

static bool contains(struct strview text, struct strview word)
{
    return memmem(text.data, text.length, word.data, word.length) != NULL;
}

/* A secret that a mark may bring back, or a part of one with what stands beside it. */
static bool may_be_in_a_mark(struct strview secret)
{
    for (size_t i = 0; i < secret.length; i++) {
        if (strchr("() redact0123456789abcdf", secret.data[i]) == NULL)
            return false;
    }
    return true;
}

static bool touches_a_mark(struct strview secret)
{
    return memchr(secret.data, '(', secret.length) != NULL ||
           memchr(secret.data, ')', secret.length) != NULL ||
           memchr(secret.data, '"', secret.length) != NULL;
}

static void check_text(const struct redaction *redaction, struct strview redacted)
{
    for (uint32_t i = 0; i < redaction->count && !redaction->overflow; i++) {
        struct strview secret = redaction->secrets[i];
        if (!may_be_in_a_mark(secret) && !touches_a_mark(secret))
            CHECK(!contains(redacted, secret));
    }
}

/* Everything at the configured place is a mark; values that are left hold no secret in them. */
static void check_json(const struct redaction *redaction, struct strview redacted,
                       struct arena *arena)
{
    struct json_tree tree;
    const char *fault = json_tree_read(arena, redacted, &tree);
    /* Two names that hold one secret may have become one. */
    CHECK(fault == NULL || strstr(fault, "twice") != NULL || strstr(fault, "UTF-8") != NULL ||
          strstr(fault, "malformed") != NULL);
    for (uint32_t i = 0; fault == NULL && i < tree.count; i++) {
        const struct json_node *node = &tree.nodes[i];
        if (node->kind == JSON_STRING || node->kind == JSON_NUMBER)
            check_text(redaction, node->text);
        if (strview_equal(node->name, STRVIEW("password")) && node->count == 0 &&
            node->kind != JSON_ARRAY && node->kind != JSON_OBJECT)
            CHECK(strview_starts_with(node->text, STRVIEW("(redacted ")));
    }
}

static void add_field(struct headers *headers, struct arena *arena, const char *name,
                      struct strview value)
{
    struct strview text = strview_of(name);
    headers_add(headers, arena, header_token_of(text), text, value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct redaction redaction;
    struct headers headers;
    struct path_pattern pattern;
    struct json_tree tree;
    const char *fault;
    size_t offset;
    struct strview body = strview_make((const char *)data, size);
    arena_init(&arena, NULL);
    headers_init(&headers);
    CHECK(path_pattern_compile(STRVIEW("$..password"), &pattern, &fault, &offset));
    const struct redact_rules rules = {.places = {&pattern, 1}};
    redaction_init(&redaction, &rules, 1, &arena);
    struct strview line = take_line(&body);
    redaction_add_form(&redaction, line);
    add_field(&headers, &arena, "cookie", line);
    add_field(&headers, &arena, "authorization", take_line(&body));
    add_field(&headers, &arena, "x-other", strview_make(body.data, strview_find(body, '\n')));
    redaction_add_headers(&redaction, &headers);
    redaction_add_json(&redaction, body);
    bool is_json = json_tree_read(&arena, body, &tree) == NULL;
    struct strview redacted = redact_body(&redaction, body);
    check_text(&redaction, redacted);
    redact_headers(&redaction, &headers);
    check_text(&redaction, redact_field(&redaction, &headers.fields[2]));
    check_text(&redaction, redact_text(&redaction, body));
    redact_query(body.length > 0 ? body : STRVIEW(""), &arena);
    if (is_json && !redaction.overflow)
        check_json(&redaction, redacted, &arena);
    arena_done(&arena);
    return 0;
}
