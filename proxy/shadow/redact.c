/* Taking secrets out of texts; what the secrets are: redact_secrets.c. */
#include "proxy/shadow/redact.h"

#include <inttypes.h>
#include <stdio.h>
#include <xxhash.h>

#include "proxy/compare/json_tree.h"
#include "proxy/shadow/redact_internal.h"

/* A text that grows; lies in an arena. */
struct text {
    struct arena *arena;
    char *bytes;
    size_t length;
    size_t capacity;
};

static void append(struct text *text, struct strview more)
{
    if (more.length > text->capacity - text->length) {
        size_t capacity = 2 * text->capacity + more.length;
        char *bytes = arena_alloc(text->arena, capacity);
        if (text->length > 0)
            memcpy(bytes, text->bytes, text->length);
        text->bytes = bytes;
        text->capacity = capacity;
    }
    if (more.length > 0)
        memcpy(text->bytes + text->length, more.data, more.length);
    text->length += more.length;
}

static struct text text_for(const struct redaction *redaction, size_t length)
{
    return (struct text){.arena = redaction->arena,
                         .bytes = arena_alloc(redaction->arena, length + 1),
                         .capacity = length};
}

static struct strview view_of(const struct text *text)
{
    return strview_make(text->bytes, text->length);
}

/* --- marks --------------------------------------------------------------------------------- */

enum { MARK_BYTES = 32 };

static void append_mark(const struct redaction *redaction, struct text *text, struct strview secret)
{
    char mark[MARK_BYTES];
    int length =
        snprintf(mark, sizeof(mark), "(redacted %08" PRIx32 ")",
                 (uint32_t)XXH3_64bits_withSeed(secret.data, secret.length, redaction->key));
    append(text, strview_make(mark, (size_t)length));
}

/* --- text ---------------------------------------------------------------------------------- */

static bool may_begin(const struct redaction *redaction, char byte)
{
    unsigned char c = (unsigned char)byte;
    return (redaction->beginning[c / 64] >> (c % 64) & 1) != 0;
}

/* The longest secret that stands there, or NULL. */
static const struct strview *secret_at(const struct redaction *redaction, struct strview text,
                                       size_t at)
{
    const struct strview *longest = NULL;
    struct strview rest = strview_from(text, at);
    if (!may_begin(redaction, text.data[at]))
        return NULL;
    for (uint32_t i = 0; i < redaction->count; i++) {
        const struct strview *secret = &redaction->secrets[i];
        if (strview_starts_with(rest, *secret) &&
            (longest == NULL || secret->length > longest->length))
            longest = secret;
    }
    return longest;
}

/* The place of the next secret, or the end. */
static size_t find_secret(const struct redaction *redaction, struct strview text, size_t from,
                          const struct strview **ret_secret)
{
    for (size_t i = from; i < text.length; i++) {
        *ret_secret = secret_at(redaction, text, i);
        if (*ret_secret != NULL)
            return i;
    }
    return text.length;
}

static void append_redacted(const struct redaction *redaction, struct text *out,
                            struct strview text)
{
    size_t at = 0;
    while (at < text.length) {
        const struct strview *secret = NULL;
        size_t end = find_secret(redaction, text, at, &secret);
        append(out, strview_make(text.data + at, end - at));
        if (secret != NULL)
            append_mark(redaction, out, *secret);
        at = end + (secret != NULL ? secret->length : 0);
    }
}

struct strview redact_text(const struct redaction *redaction, struct strview text)
{
    const struct strview *secret;
    if (redaction->overflow)
        return text.length > 0 ? STRVIEW("(redacted)") : text;
    if (find_secret(redaction, text, 0, &secret) == text.length)
        return text;
    struct text out = text_for(redaction, text.length + MARK_BYTES);
    append_redacted(redaction, &out, text);
    return view_of(&out);
}

/* --- JSON ---------------------------------------------------------------------------------- */

struct body_writer {
    const struct redaction *redaction;
    struct text out;
    struct strview body;
    size_t written; /* so much of the body */
};

static bool holds_secret(const struct redaction *redaction, struct strview text)
{
    const struct strview *secret;
    return find_secret(redaction, text, 0, &secret) < text.length;
}

/* Between its quotes, or a value without. */
static void write_mark(struct body_writer *writer, const struct json_node *node)
{
    bool quoted = node->kind == JSON_STRING;
    struct strview value = quoted ? node->written : node->text;
    size_t at = (size_t)(value.data - writer->body.data);
    append_redacted(writer->redaction, &writer->out,
                    strview_make(writer->body.data + writer->written, at - writer->written));
    if (!quoted)
        append(&writer->out, STRVIEW("\""));
    append_mark(writer->redaction, &writer->out, node->text);
    if (!quoted)
        append(&writer->out, STRVIEW("\""));
    writer->written = at + value.length;
}

/* A secret with escapes in it is not seen by who looks at the text alone. */
static void on_value(void *owner, const struct json_node *node, bool is_secret)
{
    struct body_writer *writer = owner;
    bool escaped = node->kind == JSON_STRING && !strview_equal(node->text, node->written);
    bool number = node->kind == JSON_NUMBER;
    if (is_secret || ((escaped || number) && holds_secret(writer->redaction, node->text)))
        write_mark(writer, node);
}

/* Behind blanks and a byte order mark; ")" as in the ")]}'" that keeps scripts from reading it. */
static bool begins_as_json(struct strview body)
{
    size_t at = 0;
    while (at < body.length && (body.data[at] <= ' ' || body.data[at] > '~'))
        at++;
    return at < body.length && memchr("{[)", body.data[at], 3) != NULL;
}

struct strview redact_body(const struct redaction *redaction, struct strview body)
{
    struct json_tree tree;
    struct arena scratch;
    arena_init(&scratch, NULL);
    if (redaction->overflow || json_tree_read(&scratch, body, &tree) != NULL) {
        arena_done(&scratch);
        if (redaction->rules->places.count > 0 && begins_as_json(body))
            return STRVIEW("(redacted)");
        return redact_text(redaction, body);
    }
    struct body_writer writer = {redaction, text_for(redaction, body.length + MARK_BYTES), body, 0};
    redact_walk(redaction->rules, &tree, on_value, &writer);
    append_redacted(redaction, &writer.out, strview_from(body, writer.written));
    arena_done(&scratch);
    return view_of(&writer.out);
}

/* --- fields and queries -------------------------------------------------------------------- */

struct strview redact_field(const struct redaction *redaction, const struct header_field *field)
{
    if (!redact_is_secret_field(redaction->rules, field->name))
        return redact_text(redaction, field->value);
    struct text out = text_for(redaction, MARK_BYTES);
    append_mark(redaction, &out, field->value);
    return view_of(&out);
}

struct strview redact_headers(const struct redaction *redaction, const struct headers *headers)
{
    struct text out = text_for(redaction, headers->bytes);
    for (uint32_t i = 0; i < headers->count; i++) {
        const struct header_field *field = &headers->fields[i];
        append(&out, field->name);
        append(&out, STRVIEW(": "));
        append(&out, redact_field(redaction, field));
        append(&out, STRVIEW("\n"));
    }
    return view_of(&out);
}

struct strview redact_query(struct strview query, struct arena *arena)
{
    struct text out = {.arena = arena};
    while (query.length > 0) {
        size_t length = strview_find(strview_from(query, 1), '&') + 1;
        struct strview part = strview_make(query.data, length);
        size_t equals = strview_find(part, '=');
        append(&out, strview_make(part.data, equals));
        if (equals < part.length)
            append(&out, STRVIEW("=…"));
        query = strview_from(query, length);
    }
    return view_of(&out);
}
