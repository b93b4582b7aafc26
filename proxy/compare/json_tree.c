/* Reads by recursive descent; the depth is bounded. */
#include "proxy/compare/json_tree.h"

#include <stdlib.h>

#include "proxy/compare/utf8.h"

struct json_reader {
    struct arena *arena;
    struct strview text;
    size_t at;
    struct json_node *nodes;
    uint32_t count;
    uint32_t capacity;
    const char *fault;
};

static bool reader_fails(struct json_reader *reader, const char *fault)
{
    reader->fault = fault;
    return false;
}

static char look(const struct json_reader *reader)
{
    return reader->at < reader->text.length ? reader->text.data[reader->at] : '\0';
}

static void skip_space(struct json_reader *reader)
{
    for (;;) {
        char c = look(reader);
        if (reader->at >= reader->text.length || !(c == ' ' || c == '\t' || c == '\n' || c == '\r'))
            return;
        reader->at++;
    }
}

static bool take(struct json_reader *reader, char c)
{
    if (reader->at >= reader->text.length || look(reader) != c)
        return false;
    reader->at++;
    return true;
}

/* At most how many values there are: each but the first stands behind one of these. */
static uint32_t count_values(struct strview text)
{
    size_t count = 1;
    bool in_string = false;
    for (size_t i = 0; i < text.length; i++) {
        char c = text.data[i];
        if (in_string && c == '\\')
            i++;
        else if (c == '"')
            in_string = !in_string;
        else if (!in_string && (c == ',' || c == '[' || c == '{'))
            count++;
    }
    return count > JSON_NODES_MAX ? JSON_NODES_MAX + 1 : (uint32_t)count;
}

/* --- strings ---------------------------------------------------------------------------------- */

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    char lower = ascii_lower(c);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* The four digits behind "\u". */
static bool read_hex(struct json_reader *reader, uint32_t *ret_unit)
{
    uint32_t unit = 0;
    if (reader->text.length - reader->at < 4)
        return reader_fails(reader, "malformed JSON");
    for (size_t i = 0; i < 4; i++) {
        int digit = hex_value(reader->text.data[reader->at++]);
        if (digit < 0)
            return reader_fails(reader, "malformed JSON");
        unit = unit * 16 + (uint32_t)digit;
    }
    *ret_unit = unit;
    return true;
}

static bool read_unicode_escape(struct json_reader *reader, char *out, size_t *used)
{
    uint32_t unit;
    uint32_t low;
    if (!read_hex(reader, &unit))
        return false;
    if (unit >= 0xd800 && unit <= 0xdbff) {
        if (!take(reader, '\\') || !take(reader, 'u') || !read_hex(reader, &low) || low < 0xdc00 ||
            low > 0xdfff)
            return reader_fails(reader, "half a surrogate pair");
        unit = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
    }
    size_t length = utf8_write(unit, out + *used);
    *used += length;
    return length > 0 || reader_fails(reader, "half a surrogate pair");
}

static bool read_escape(struct json_reader *reader, char *out, size_t *used)
{
    static const char letters[] = "\"\\/bfnrt";
    static const char meanings[] = "\"\\/\b\f\n\r\t";
    char c = look(reader);
    reader->at++;
    if (c == 'u')
        return read_unicode_escape(reader, out, used);
    const char *found = c != '\0' ? strchr(letters, c) : NULL;
    if (found == NULL)
        return reader_fails(reader, "malformed JSON");
    out[(*used)++] = meanings[found - letters];
    return true;
}

/* Copies from the first escape on; what is decoded is never longer than what was written. */
static bool read_escaped(struct json_reader *reader, size_t begin, size_t room,
                         struct strview *ret_text)
{
    char *out = arena_alloc(reader->arena, room + UTF8_CHARACTER_BYTES);
    size_t used = reader->at - begin;
    memcpy(out, reader->text.data + begin, used);
    while (reader->at < reader->text.length) {
        char c = reader->text.data[reader->at++];
        if (c == '"') {
            *ret_text = strview_make(out, used);
            return true;
        }
        if ((unsigned char)c < 0x20)
            break;
        if (c != '\\')
            out[used++] = c;
        else if (!read_escape(reader, out, &used))
            return false;
    }
    return reader_fails(reader, "malformed JSON");
}

/* Where the string that begins at `begin` ends: its quote, or the end of the text. */
static size_t string_end(struct strview text, size_t begin)
{
    size_t i = begin;
    while (i < text.length && text.data[i] != '"')
        i += text.data[i] == '\\' ? 2 : 1;
    return i < text.length ? i : text.length;
}

static bool read_string(struct json_reader *reader, struct strview *ret_text)
{
    if (!take(reader, '"'))
        return reader_fails(reader, "malformed JSON");
    size_t begin = reader->at;
    for (; reader->at < reader->text.length; reader->at++) {
        char c = reader->text.data[reader->at];
        if (c == '"') {
            *ret_text = strview_make(reader->text.data + begin, reader->at - begin);
            reader->at++;
            return true;
        }
        if (c == '\\')
            return read_escaped(reader, begin, string_end(reader->text, begin) - begin, ret_text);
        if ((unsigned char)c < 0x20)
            break;
    }
    return reader_fails(reader, "malformed JSON");
}

/* --- numbers and words ------------------------------------------------------------------------ */

static size_t skip_digits(struct json_reader *reader)
{
    size_t begin = reader->at;
    while (look(reader) >= '0' && look(reader) <= '9')
        reader->at++;
    return reader->at - begin;
}

static bool read_number(struct json_reader *reader, struct json_node *node)
{
    size_t begin = reader->at;
    take(reader, '-');
    bool zero = look(reader) == '0';
    size_t digits = skip_digits(reader);
    bool good = digits > 0 && (!zero || digits == 1);
    if (good && take(reader, '.'))
        good = skip_digits(reader) > 0;
    if (good && (take(reader, 'e') || take(reader, 'E'))) {
        if (!take(reader, '-'))
            take(reader, '+');
        good = skip_digits(reader) > 0;
    }
    node->kind = JSON_NUMBER;
    node->text = strview_make(reader->text.data + begin, reader->at - begin);
    return good || reader_fails(reader, "malformed JSON");
}

static bool read_word(struct json_reader *reader, struct json_node *node)
{
    static const struct {
        struct strview word;
        enum json_kind kind;
    } words[] = {{{"true", 4}, JSON_BOOL}, {{"false", 5}, JSON_BOOL}, {{"null", 4}, JSON_NULL}};
    struct strview rest = strview_from(reader->text, reader->at);
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (!strview_starts_with(rest, words[i].word))
            continue;
        node->kind = words[i].kind;
        node->text = strview_make(rest.data, words[i].word.length);
        reader->at += words[i].word.length;
        return true;
    }
    return reader_fails(reader, "malformed JSON");
}

/* --- arrays and objects ----------------------------------------------------------------------- */

static bool read_value(struct json_reader *reader, struct strview name, unsigned depth);

static int compare_names(const void *left, const void *right, void *nodes)
{
    const struct json_node *list = nodes;
    return strview_compare(list[*(const uint32_t *)left].name, list[*(const uint32_t *)right].name);
}

/* The children's places; members by name. A name that stands there twice means what its reader
 * likes: that is not compared. */
static bool list_children(struct json_reader *reader, uint32_t index)
{
    struct json_node *node = &reader->nodes[index];
    node->end = reader->count;
    uint32_t *sorted = arena_alloc(reader->arena, (node->count + 1) * sizeof(*sorted));
    uint32_t used = 0;
    for (uint32_t child = index + 1; child < node->end; child = reader->nodes[child].end)
        sorted[used++] = child;
    node->sorted = sorted;
    if (node->kind == JSON_ARRAY)
        return true;
    qsort_r(sorted, used, sizeof(*sorted), compare_names, reader->nodes);
    for (uint32_t i = 1; i < used; i++) {
        if (strview_equal(reader->nodes[sorted[i - 1]].name, reader->nodes[sorted[i]].name))
            return reader_fails(reader, "a member's name twice in one object");
    }
    return true;
}

static bool read_member(struct json_reader *reader, unsigned depth)
{
    struct strview name;
    skip_space(reader);
    if (!read_string(reader, &name))
        return false;
    skip_space(reader);
    if (!take(reader, ':'))
        return reader_fails(reader, "malformed JSON");
    return read_value(reader, name, depth);
}

static bool read_children(struct json_reader *reader, uint32_t index, unsigned depth)
{
    bool is_object = reader->nodes[index].kind == JSON_OBJECT;
    char close = is_object ? '}' : ']';
    reader->at++;
    skip_space(reader);
    if (take(reader, close))
        return list_children(reader, index);
    do {
        bool good = is_object ? read_member(reader, depth + 1)
                              : read_value(reader, STRVIEW_NONE, depth + 1);
        if (!good)
            return false;
        reader->nodes[index].count++;
        skip_space(reader);
    } while (take(reader, ','));
    return take(reader, close) ? list_children(reader, index)
                               : reader_fails(reader, "malformed JSON");
}

static bool read_value(struct json_reader *reader, struct strview name, unsigned depth)
{
    skip_space(reader);
    if (depth > JSON_DEPTH_MAX)
        return reader_fails(reader, "nested too deeply");
    if (reader->count == reader->capacity)
        return reader_fails(reader, "malformed JSON");
    uint32_t index = reader->count++;
    struct json_node *node = &reader->nodes[index];
    *node = (struct json_node){.name = name, .end = reader->count};
    char c = look(reader);
    if (c == '{' || c == '[') {
        node->kind = c == '{' ? JSON_OBJECT : JSON_ARRAY;
        return read_children(reader, index, depth);
    }
    if (c == '"') {
        size_t begin = reader->at + 1;
        node->kind = JSON_STRING;
        if (!read_string(reader, &node->text))
            return false;
        node->written = strview_make(reader->text.data + begin, reader->at - 1 - begin);
        return true;
    }
    if (c == '-' || (c >= '0' && c <= '9'))
        return read_number(reader, node);
    return read_word(reader, node);
}

const char *json_tree_read(struct arena *arena, struct strview text, struct json_tree *ret_tree)
{
    struct json_reader reader = {.arena = arena, .text = text, .capacity = count_values(text)};
    if (!utf8_is_valid(text))
        return "bad UTF-8";
    if (reader.capacity > JSON_NODES_MAX)
        return "too many values";
    reader.nodes = arena_alloc(arena, reader.capacity * sizeof(*reader.nodes));
    if (!read_value(&reader, STRVIEW_NONE, 0))
        return reader.fault;
    skip_space(&reader);
    if (reader.at != text.length)
        return "malformed JSON";
    *ret_tree = (struct json_tree){.nodes = reader.nodes, .count = reader.count};
    return NULL;
}
