/* One pass over the page; nothing is looked at twice. */
#include "proxy/compare/html_tokens.h"

#include "proxy/compare/html_text.h"
#include "proxy/compare/utf8.h"

struct html_reader {
    struct arena *arena;
    struct strview text;
    size_t at;
    struct html_token *items;
    uint32_t count;
    uint32_t capacity;
    uint32_t attributes; /* of all tokens */
    const char *fault;
};

static bool is_letter(char c)
{
    char lower = ascii_lower(c);
    return lower >= 'a' && lower <= 'z';
}

static char byte_at(const struct html_reader *reader, size_t offset)
{
    return offset < reader->text.length ? reader->text.data[offset] : '\0';
}

static bool is_one_of(struct strview name, const char *const *names)
{
    for (; *names != NULL; names++) {
        if (strview_equal(name, strview_of(*names)))
            return true;
    }
    return false;
}

static struct strview lower_copy(struct arena *arena, struct strview text)
{
    char *out = arena_alloc(arena, text.length);
    for (size_t i = 0; i < text.length; i++)
        out[i] = ascii_lower(text.data[i]);
    return strview_make(out, text.length);
}

static struct html_token *push(struct html_reader *reader, enum html_token_kind kind)
{
    if (reader->count == reader->capacity) {
        reader->fault = "too many tokens";
        return NULL;
    }
    struct html_token *token = &reader->items[reader->count++];
    *token = (struct html_token){.kind = kind};
    return token;
}

/* Where `text` begins from `from` on, in any case, or the end. */
static size_t find_text(const struct html_reader *reader, size_t from, struct strview text)
{
    for (size_t i = from; i + text.length <= reader->text.length; i++) {
        if (strview_equal_ignore_case(strview_make(reader->text.data + i, text.length), text))
            return i;
    }
    return reader->text.length;
}

static size_t find_byte(const struct html_reader *reader, size_t from, char c)
{
    return from + strview_find(strview_from(reader->text, from), c);
}

static size_t past(const struct html_reader *reader, size_t offset, size_t length)
{
    return offset + length < reader->text.length ? offset + length : reader->text.length;
}

static void push_text(struct html_reader *reader, struct strview text, bool raw)
{
    struct strview decoded = raw ? text : html_text_decode(reader->arena, text, true);
    struct html_token *token = decoded.length > 0 ? push(reader, HTML_TEXT) : NULL;
    if (token != NULL)
        token->text = decoded;
}

/* --- tags ---------------------------------------------------------------------------------------
 */

static void skip_space(struct html_reader *reader)
{
    while (reader->at < reader->text.length && html_is_space(byte_at(reader, reader->at)))
        reader->at++;
}

static struct strview read_tag_name(struct html_reader *reader)
{
    size_t begin = reader->at;
    while (reader->at < reader->text.length) {
        char c = byte_at(reader, reader->at);
        if (html_is_space(c) || c == '/' || c == '>')
            break;
        reader->at++;
    }
    return lower_copy(reader->arena, strview_make(reader->text.data + begin, reader->at - begin));
}

static struct strview read_attribute_value(struct html_reader *reader)
{
    char quote = byte_at(reader, reader->at);
    size_t begin = reader->at;
    size_t end;
    if (quote == '"' || quote == '\'') {
        begin++;
        end = find_byte(reader, begin, quote);
        reader->at = past(reader, end, 1);
    } else {
        while (reader->at < reader->text.length && !html_is_space(byte_at(reader, reader->at)) &&
               byte_at(reader, reader->at) != '>')
            reader->at++;
        end = reader->at;
    }
    return html_text_decode(reader->arena, strview_make(reader->text.data + begin, end - begin),
                            false);
}

static struct html_attribute read_attribute(struct html_reader *reader)
{
    struct html_attribute attribute = {.value = STRVIEW("")};
    size_t begin = reader->at;
    while (reader->at < reader->text.length) {
        char c = byte_at(reader, reader->at);
        if (html_is_space(c) || c == '>' || (c == '/' && reader->at > begin) ||
            (c == '=' && reader->at > begin))
            break;
        reader->at++;
    }
    attribute.name =
        lower_copy(reader->arena, strview_make(reader->text.data + begin, reader->at - begin));
    skip_space(reader);
    if (byte_at(reader, reader->at) == '=') {
        reader->at++;
        skip_space(reader);
        attribute.value = read_attribute_value(reader);
    }
    return attribute;
}

/* Keeps them sorted; of two with one name the first counts, as in a browser. */
static void add_attribute(struct html_reader *reader, struct html_token *token,
                          struct html_attribute attribute)
{
    uint32_t place = token->attribute_count;
    int order = 1;
    while (place > 0) {
        order = strview_compare(attribute.name, token->attributes[place - 1].name);
        if (order >= 0)
            break;
        place--;
    }
    if (place > 0 && order == 0)
        return;
    if (token->attribute_count == HTML_ATTRIBUTES_MAX ||
        reader->attributes == HTML_ATTRIBUTES_OF_ALL_MAX) {
        reader->fault = "too many attributes";
        return;
    }
    memmove(&token->attributes[place + 1], &token->attributes[place],
            (token->attribute_count - place) * sizeof(attribute));
    token->attributes[place] = attribute;
    token->attribute_count++;
    reader->attributes++;
}

static void read_attributes(struct html_reader *reader, struct html_token *token)
{
    struct html_attribute found[HTML_ATTRIBUTES_MAX];
    token->attributes = found;
    while (reader->fault == NULL) {
        skip_space(reader);
        char c = byte_at(reader, reader->at);
        if (reader->at >= reader->text.length || c == '>')
            break;
        if (c == '/')
            reader->at++;
        else
            add_attribute(reader, token, read_attribute(reader));
    }
    size_t bytes = token->attribute_count * sizeof(*found);
    token->attributes = NULL;
    if (bytes > 0) {
        token->attributes = arena_alloc(reader->arena, bytes);
        memcpy(token->attributes, found, bytes);
    }
    reader->at = past(reader, reader->at, 1);
}

/* What stands between <script> and </script> and the like is no markup. */
static void read_raw_text(struct html_reader *reader, struct strview element, bool references)
{
    struct strview end = arena_printf(reader->arena, "</%.*s", STRVIEW_ARGS(element));
    size_t begin = reader->at;
    reader->at = find_text(reader, begin, end);
    push_text(reader, strview_make(reader->text.data + begin, reader->at - begin), !references);
}

/* HTML standard, section 13.1.2.4. */
static bool end_may_lack(struct strview name)
{
    static const char *const names[] = {
        "p",    "li",   "td",    "tr",    "th",   "dt",      "dd", "option", "optgroup", "thead",
        "html", "head", "tbody", "tfoot", "body", "caption", "rt", "rp",     "colgroup", NULL};
    return is_one_of(name, names);
}

static void read_open_tag(struct html_reader *reader)
{
    static const char *const voids[] = {"area",  "base", "br",   "col",    "embed", "hr",  "img",
                                        "input", "link", "meta", "source", "track", "wbr", NULL};
    static const char *const raws[] = {"script",   "style", "iframe", "noembed",
                                       "noframes", "xmp",   NULL};
    static const char *const texts[] = {"textarea", "title", NULL};
    struct html_token *token = push(reader, HTML_OPEN);
    if (token == NULL)
        return;
    reader->at++;
    struct strview name = read_tag_name(reader);
    token->name = name;
    token->is_void = is_one_of(name, voids);
    token->end_may_lack = end_may_lack(name);
    read_attributes(reader, token);
    if (reader->fault == NULL && (is_one_of(name, raws) || is_one_of(name, texts)))
        read_raw_text(reader, name, is_one_of(name, texts));
}

static void read_close_tag(struct html_reader *reader)
{
    struct html_token *token = push(reader, HTML_CLOSE);
    if (token == NULL)
        return;
    reader->at += 2;
    token->name = read_tag_name(reader);
    token->end_may_lack = end_may_lack(token->name);
    reader->at = past(reader, find_byte(reader, reader->at, '>'), 1);
}

static void read_declaration(struct html_reader *reader)
{
    struct strview rest = strview_from(reader->text, reader->at);
    if (strview_starts_with(rest, STRVIEW("<!--"))) {
        reader->at = past(reader, find_text(reader, reader->at + 4, STRVIEW("-->")), 3);
        return;
    }
    size_t end = find_byte(reader, reader->at, '>');
    struct strview inside = strview_make(rest.data + 2, end - reader->at - 2);
    reader->at = past(reader, end, 1);
    if (inside.length < 7 ||
        !strview_equal_ignore_case(strview_make(inside.data, 7), STRVIEW("doctype")))
        return;
    struct html_token *token = push(reader, HTML_DOCTYPE);
    if (token != NULL)
        token->text = lower_copy(reader->arena, html_text_decode(reader->arena, inside, true));
}

/* --- the page -----------------------------------------------------------------------------------
 */

/* Does markup begin at this '<'? */
static bool begins_markup(const struct html_reader *reader, size_t offset)
{
    char c = byte_at(reader, offset + 1);
    return is_letter(c) || c == '!' || c == '?' ||
           (c == '/' && is_letter(byte_at(reader, offset + 2)));
}

static void read_text(struct html_reader *reader)
{
    size_t begin = reader->at;
    do {
        reader->at = find_byte(reader, reader->at + 1, '<');
    } while (reader->at < reader->text.length && !begins_markup(reader, reader->at));
    push_text(reader, strview_make(reader->text.data + begin, reader->at - begin), false);
}

static void read_token(struct html_reader *reader)
{
    char c = byte_at(reader, reader->at + 1);
    if (byte_at(reader, reader->at) != '<' || !begins_markup(reader, reader->at))
        read_text(reader);
    else if (c == '!' || c == '?')
        read_declaration(reader);
    else if (c == '/')
        read_close_tag(reader);
    else
        read_open_tag(reader);
}

/* Each token but the first and texts between begins at a '<' or ends at one. */
static uint32_t count_tokens(struct strview text)
{
    size_t count = 1;
    for (size_t i = 0; i < text.length; i++)
        count += text.data[i] == '<' ? 2 : 0;
    return count > HTML_TOKENS_MAX ? HTML_TOKENS_MAX : (uint32_t)count;
}

const char *html_tokens_read(struct arena *arena, struct strview text,
                             struct html_tokens *ret_tokens)
{
    struct html_reader reader = {.arena = arena, .text = text, .capacity = count_tokens(text)};
    if (!utf8_is_valid(text))
        return "bad UTF-8";
    reader.items = arena_alloc(arena, reader.capacity * sizeof(*reader.items));
    while (reader.at < text.length && reader.fault == NULL)
        read_token(&reader);
    *ret_tokens = (struct html_tokens){.items = reader.items, .count = reader.count};
    return reader.fault;
}

const struct html_attribute *html_token_attribute(const struct html_token *token,
                                                  struct strview name)
{
    for (uint32_t i = 0; i < token->attribute_count; i++) {
        if (strview_equal(token->attributes[i].name, name))
            return &token->attributes[i];
    }
    return NULL;
}
