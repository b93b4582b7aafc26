/*
 * libconfig compares each new name of a group with all names before it, which makes 10 000 routes
 * take seconds, and stops at a name that stands twice. It therefore gets the same text with every
 * group written as a list: names and terminators blanked, a comma in the first byte of each name
 * but the first. Lengths and lines stay. Names are ours to compare, in the tree that is built here.
 */
#include "proxy/config/source_scan.h"

#include <stdio.h>

#include "proxy/config/source_number.h"

/* What the whole text is wrapped in for libconfig. */
#define PARSER_PREFIX SOURCE_SCAN_ROOT_NAME "=("
#define PARSER_SUFFIX "\n)\n"

struct scanner {
    const struct source *source;
    struct strview text;
    char *copy; /* the text for libconfig, same offsets */
    struct arena *arena;
    struct config_report *report;
    uint32_t at;
    uint32_t depth;
    /* The first group whose closing bracket stands at another indentation than its opening line:
     * when a bracket is missing, this is most likely where. */
    const struct source_node *suspect;
    uint32_t suspect_end;
};

static bool scan_value(struct scanner *scanner, struct source_node *node);

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_name_byte(char c)
{
    return is_letter(c) || is_digit(c) || c == '-' || c == '_';
}

/* '\0' at the end; the text itself has no zero byte when this is called. */
static char peek(const struct scanner *scanner, uint32_t ahead)
{
    size_t at = (size_t)scanner->at + ahead;
    return at < scanner->text.length ? scanner->text.data[at] : '\0';
}

static bool at_end(const struct scanner *scanner)
{
    return scanner->at >= scanner->text.length;
}

static struct source_span span_here(const struct scanner *scanner, uint32_t length)
{
    return source_span_at(scanner->source, scanner->at, length);
}

#define SCAN_FAULT(scanner, code, span, ...)                                                       \
    (source_error((scanner)->report, code, span, __VA_ARGS__), false)

static uint32_t line_of(const struct scanner *scanner, uint32_t offset)
{
    return source_line(scanner->source, offset);
}

static void skip_line(struct scanner *scanner)
{
    struct strview rest = strview_from(scanner->text, scanner->at);
    scanner->at += (uint32_t)strview_find(rest, '\n');
}

static bool skip_block_comment(struct scanner *scanner)
{
    struct strview rest = strview_from(scanner->text, scanner->at + 2);
    const char *end = rest.length > 1 ? memmem(rest.data, rest.length, "*/", 2) : NULL;
    if (end == NULL)
        return SCAN_FAULT(scanner, "unclosed-comment", span_here(scanner, 2),
                          "the comment that begins here is never closed: `*/` is missing");
    scanner->at = (uint32_t)(end - scanner->text.data) + 2;
    return true;
}

/* White space and comments; false when a comment does not end. */
static bool skip_blank(struct scanner *scanner)
{
    while (!at_end(scanner)) {
        char c = peek(scanner, 0);
        if (c == '#' || (c == '/' && peek(scanner, 1) == '/'))
            skip_line(scanner);
        else if (c == '/' && peek(scanner, 1) == '*') {
            if (!skip_block_comment(scanner))
                return false;
        } else if (c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f')
            scanner->at++;
        else
            return true;
    }
    return true;
}

static bool fault_unexpected(struct scanner *scanner, const char *wanted)
{
    unsigned char c = (unsigned char)peek(scanner, 0);
    if (at_end(scanner))
        return SCAN_FAULT(scanner, "syntax", span_here(scanner, 1),
                          "the file ends where %s is expected", wanted);
    if (c == '@') {
        source_error(scanner->report, "include-refused", span_here(scanner, 8),
                     "`@include` is not allowed");
        config_report_hint(scanner->report,
                           "put the file into the configuration folder: all *.cfg there are read");
        return false;
    }
    if (c < 0x20 || c >= 0x7f)
        return SCAN_FAULT(scanner, "bad-character", span_here(scanner, 1),
                          "byte 0x%02x stands where %s is expected", c, wanted);
    return SCAN_FAULT(scanner, "syntax", span_here(scanner, 1), "`%c` stands where %s is expected",
                      c, wanted);
}

static uint32_t indentation(const struct scanner *scanner, uint32_t offset)
{
    uint32_t start = scanner->source->line_starts[line_of(scanner, offset) - 1];
    uint32_t width = 0;
    while (scanner->text.data[start + width] == ' ' || scanner->text.data[start + width] == '\t')
        width++;
    return width;
}

/* Remembers a group that looks as if it had been closed by the bracket of another one. */
static void note_indentation(struct scanner *scanner, const struct source_node *group, uint32_t end)
{
    uint32_t start = group->value_offset;
    if (scanner->suspect != NULL || line_of(scanner, start) == line_of(scanner, end))
        return;
    uint32_t column = end - scanner->source->line_starts[line_of(scanner, end) - 1];
    uint32_t closing = indentation(scanner, end);
    if (closing != column || closing >= indentation(scanner, start))
        return;
    scanner->suspect = group;
    scanner->suspect_end = end;
}

static const char *kind_noun(enum source_kind kind)
{
    switch (kind) {
    case SOURCE_GROUP:
        return "group";
    case SOURCE_LIST:
        return "list";
    case SOURCE_ARRAY:
        return "array";
    case SOURCE_TEXT:
        return "text";
    case SOURCE_INTEGER:
    case SOURCE_FLOAT:
        return "number";
    case SOURCE_FLAG:
        return "true or false";
    }
    return "value";
}

/* "group `users`", or "list" when it has no name. */
static struct strview describe(const struct scanner *scanner, const struct source_node *node)
{
    if (node->name.length == 0)
        return strview_of(kind_noun(node->kind));
    return arena_printf(scanner->arena, "%s `%.*s`", kind_noun(node->kind),
                        STRVIEW_ARGS(node->name));
}

static bool fault_unclosed(struct scanner *scanner, const struct source_node *open, char closer)
{
    const struct source_node *guilty = open;
    if (scanner->suspect != NULL && open->kind == SOURCE_GROUP &&
        scanner->suspect->value_offset > open->value_offset)
        guilty = scanner->suspect;
    struct strview what = describe(scanner, guilty);
    struct strview place = source_place(scanner->arena, source_name_span(guilty));
    source_error(scanner->report, closer == '}' ? "missing-brace" : "missing-bracket",
                 source_name_span(guilty),
                 "the %.*s opened here (%.*s) is not closed: `%c` is missing", STRVIEW_ARGS(what),
                 STRVIEW_ARGS(place), closer);
    if (guilty != open)
        config_report_hint(scanner->report,
                           "the `}` in line %u belongs to a group further out, by its indentation",
                           line_of(scanner, scanner->suspect_end));
    return false;
}

/* A closing bracket, or the end of the file, that does not fit what is open. */
static bool fault_closer(struct scanner *scanner, const struct source_node *open, char closer)
{
    if (at_end(scanner))
        return fault_unclosed(scanner, open, closer);
    struct strview what = describe(scanner, open);
    struct strview place = source_place(scanner->arena, source_name_span(open));
    return SCAN_FAULT(scanner, closer == '}' ? "missing-brace" : "missing-bracket",
                      span_here(scanner, 1),
                      "`%c` stands here, but the %.*s opened at %.*s needs `%c` first",
                      peek(scanner, 0), STRVIEW_ARGS(what), STRVIEW_ARGS(place), closer);
}

static struct source_node *add_child(struct scanner *scanner, struct source_node *parent,
                                     struct source_node ***tail)
{
    struct source_node *node = arena_zalloc(scanner->arena, sizeof(*node));
    node->source = scanner->source;
    node->value_offset = scanner->at;
    **tail = node;
    *tail = &node->next;
    parent->child_count++;
    return node;
}

static void blank(struct scanner *scanner, uint32_t offset, uint32_t length)
{
    memset(scanner->copy + offset, ' ', length);
}

static bool scan_name(struct scanner *scanner, struct source_node *node)
{
    uint32_t start = scanner->at;
    if (!is_letter(peek(scanner, 0)))
        return fault_unexpected(scanner, "a name");
    while (is_name_byte(peek(scanner, 0)))
        scanner->at++;
    uint32_t length = scanner->at - start;
    struct source_span span = source_span_at(scanner->source, start, length);
    node->name = strview_make(scanner->text.data + start, length);
    if (length > SOURCE_NAME_BYTES_MAX)
        return SCAN_FAULT(scanner, "bad-name", span, "a name has at most %d bytes, this one has %u",
                          SOURCE_NAME_BYTES_MAX, length);
    if (strview_equal_ignore_case(node->name, STRVIEW("true")) ||
        strview_equal_ignore_case(node->name, STRVIEW("false")))
        return SCAN_FAULT(scanner, "bad-name", span, "`%.*s` is a value and cannot be a name",
                          STRVIEW_ARGS(node->name));
    blank(scanner, start, length);
    return true;
}

static bool scan_setting(struct scanner *scanner, struct source_node *node, bool first)
{
    uint32_t start = scanner->at;
    if (!scan_name(scanner, node) || !skip_blank(scanner))
        return false;
    if (!first)
        scanner->copy[start] = ',';
    if (peek(scanner, 0) != '=' && peek(scanner, 0) != ':')
        return fault_unexpected(scanner, "`=` or `:` after the name");
    blank(scanner, scanner->at++, 1);
    if (!skip_blank(scanner) || !scan_value(scanner, node) || !skip_blank(scanner))
        return false;
    if (peek(scanner, 0) == ';' || peek(scanner, 0) == ',')
        blank(scanner, scanner->at++, 1);
    return true;
}

/* The settings between `{` and `}`, or of the whole file. */
static bool scan_settings(struct scanner *scanner, struct source_node *group, bool is_file)
{
    struct source_node **tail = &group->first_child;
    for (;;) {
        if (!skip_blank(scanner))
            return false;
        char c = peek(scanner, 0);
        if (is_file && at_end(scanner))
            return true;
        if (is_file && (c == '}' || c == ')' || c == ']'))
            return SCAN_FAULT(scanner, "stray-bracket", span_here(scanner, 1),
                              "`%c` closes nothing that is open", c);
        if (!is_file && c == '}')
            return true;
        if (!is_file && (at_end(scanner) || c == ')' || c == ']'))
            return fault_closer(scanner, group, '}');
        bool first = group->child_count == 0;
        if (!scan_setting(scanner, add_child(scanner, group, &tail), first))
            return false;
    }
}

/* After an element: true at the closer or behind a comma that another element follows. */
static bool scan_separator(struct scanner *scanner, const struct source_node *list, char closer)
{
    char c = peek(scanner, 0);
    if (c == closer)
        return true;
    if (at_end(scanner) || c == '}' || c == ')' || c == ']')
        return fault_closer(scanner, list, closer);
    if (c != ',') {
        source_error(scanner->report, "missing-comma", span_here(scanner, 1),
                     "`,` is missing between two elements, or `%c` behind the last", closer);
        return false;
    }
    uint32_t comma = scanner->at++;
    if (!skip_blank(scanner))
        return false;
    if (peek(scanner, 0) != closer)
        return true;
    source_error(scanner->report, "trailing-comma", source_span_at(scanner->source, comma, 1),
                 "trailing comma: no element follows it");
    config_report_hint(scanner->report, "remove the comma");
    return false;
}

static bool is_scalar(enum source_kind kind)
{
    return kind != SOURCE_GROUP && kind != SOURCE_LIST && kind != SOURCE_ARRAY;
}

/* libconfig's rule: an array holds scalars of one kind. */
static bool check_array_element(struct scanner *scanner, const struct source_node *array,
                                const struct source_node *element)
{
    if (is_scalar(element->kind) && element->kind == array->first_child->kind)
        return true;
    struct source_span span = source_value_span(element);
    if (!is_scalar(element->kind))
        source_error(scanner->report, "mixed-array", span, "an array [ ] cannot hold a %s",
                     kind_noun(element->kind));
    else
        source_error(scanner->report, "mixed-array", span,
                     "all elements of an array [ ] are of one kind; the first is a %s, this is not",
                     kind_noun(array->first_child->kind));
    config_report_hint(scanner->report, "a list ( ) may hold anything");
    return false;
}

static bool scan_elements(struct scanner *scanner, struct source_node *list, char closer)
{
    struct source_node **tail = &list->first_child;
    for (;;) {
        if (!skip_blank(scanner))
            return false;
        if (peek(scanner, 0) == closer)
            return true;
        if (at_end(scanner))
            return fault_closer(scanner, list, closer);
        struct source_node *element = add_child(scanner, list, &tail);
        if (!scan_value(scanner, element))
            return false;
        if (list->kind == SOURCE_ARRAY && !check_array_element(scanner, list, element))
            return false;
        if (!skip_blank(scanner) || !scan_separator(scanner, list, closer))
            return false;
    }
}

static bool scan_bracket(struct scanner *scanner, struct source_node *node, enum source_kind kind)
{
    static const char closers[] = {[SOURCE_GROUP] = '}', [SOURCE_LIST] = ')', [SOURCE_ARRAY] = ']'};
    node->kind = kind;
    node->value_length = 1;
    if (scanner->depth == SOURCE_DEPTH_MAX)
        return SCAN_FAULT(scanner, "nested-too-deep", span_here(scanner, 1),
                          "groups and lists can be nested %d deep", SOURCE_DEPTH_MAX);
    scanner->depth++;
    uint32_t start = scanner->at++;
    bool complete = kind == SOURCE_GROUP ? scan_settings(scanner, node, false)
                                         : scan_elements(scanner, node, closers[kind]);
    if (!complete)
        return false;
    if (kind == SOURCE_GROUP) {
        note_indentation(scanner, node, scanner->at);
        scanner->copy[start] = '(';
        scanner->copy[scanner->at] = ')';
    }
    scanner->at++;
    scanner->depth--;
    return true;
}

static bool is_hex_digit(char c)
{
    return is_digit(c) || (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'f');
}

/* \x needs two digits (libconfig would keep it as it is) and no zero byte (it would end the text).
 */
static bool check_escape(struct scanner *scanner)
{
    if (ascii_lower(peek(scanner, 1)) != 'x')
        return true;
    char high = peek(scanner, 2);
    char low = peek(scanner, 3);
    if (!is_hex_digit(high) || !is_hex_digit(low))
        return SCAN_FAULT(scanner, "bad-escape", span_here(scanner, 2),
                          "`\\x` needs two hexadecimal digits");
    if (high == '0' && low == '0')
        return SCAN_FAULT(scanner, "bad-escape", span_here(scanner, 4),
                          "a text cannot hold a zero byte");
    return true;
}

static bool scan_literal(struct scanner *scanner)
{
    uint32_t start = scanner->at++;
    for (;;) {
        char c = peek(scanner, 0);
        if (at_end(scanner) || c == '\n') {
            uint32_t length = scanner->at - start;
            return SCAN_FAULT(scanner, "unclosed-text",
                              source_span_at(scanner->source, start, length),
                              "the text that begins here has no closing `\"` in its line");
        }
        if (c == '\\' && !check_escape(scanner))
            return false;
        bool escaped = c == '\\' && (peek(scanner, 1) == '"' || peek(scanner, 1) == '\\');
        scanner->at += escaped ? 2 : 1;
        if (c == '"')
            return true;
    }
}

/* One literal or several beside each other, which are one text. */
static bool scan_text(struct scanner *scanner, struct source_node *node)
{
    uint32_t end;
    node->kind = SOURCE_TEXT;
    do {
        if (!scan_literal(scanner))
            return false;
        end = scanner->at;
        if (!skip_blank(scanner))
            return false;
    } while (peek(scanner, 0) == '"');
    node->value_length = end - node->value_offset;
    if (node->value_length > SOURCE_VALUE_BYTES_MAX)
        return SCAN_FAULT(scanner, "too-long",
                          source_span_at(scanner->source, node->value_offset, 1),
                          "a text has at most %d bytes", SOURCE_VALUE_BYTES_MAX);
    return true;
}

/* true, false, or a word that lacks its quotes. */
static bool scan_word(struct scanner *scanner, struct source_node *node)
{
    uint32_t start = scanner->at;
    while (is_name_byte(peek(scanner, 0)) || peek(scanner, 0) == '.' || peek(scanner, 0) == '/')
        scanner->at++;
    struct strview word = strview_make(scanner->text.data + start, scanner->at - start);
    node->kind = SOURCE_FLAG;
    node->value_length = (uint32_t)word.length;
    if (strview_equal_ignore_case(word, STRVIEW("true")) ||
        strview_equal_ignore_case(word, STRVIEW("false")))
        return true;
    source_error(scanner->report, "syntax", source_value_span(node), "`%.*s` is no value",
                 STRVIEW_ARGS(word));
    config_report_hint(scanner->report, "texts stand in quotes: \"%.*s\"", STRVIEW_ARGS(word));
    return false;
}

/* Also bytes that no number has, so that the fault shows the whole word. */
static bool is_number_byte(char c)
{
    return is_name_byte(c) || c == '.' || c == '+' || c == '%';
}

static bool scan_number(struct scanner *scanner, struct source_node *node)
{
    uint32_t start = scanner->at;
    while (is_number_byte(peek(scanner, 0)))
        scanner->at++;
    struct strview text = strview_make(scanner->text.data + start, scanner->at - start);
    node->value_length = (uint32_t)text.length;
    switch (source_number_check(text)) {
    case SOURCE_NUMBER_INTEGER:
        node->kind = SOURCE_INTEGER;
        return true;
    case SOURCE_NUMBER_FLOAT:
        node->kind = SOURCE_FLOAT;
        return true;
    case SOURCE_NUMBER_TOO_LARGE:
        source_error(scanner->report, "number-too-large", source_value_span(node),
                     "%.*s does not fit into 32 bits and would be read as another number",
                     STRVIEW_ARGS(text));
        config_report_hint(scanner->report, "add an `L` for a 64-bit integer: %.*sL",
                           STRVIEW_ARGS(text));
        return false;
    case SOURCE_NUMBER_OVERFLOW:
        return SCAN_FAULT(scanner, "number-too-large", source_value_span(node),
                          "%.*s does not fit into any number", STRVIEW_ARGS(text));
    case SOURCE_NUMBER_MALFORMED:
        source_error(scanner->report, "syntax", source_value_span(node), "`%.*s` is no number",
                     STRVIEW_ARGS(text));
        config_report_hint(scanner->report, "values with a unit stand in quotes: \"%.*s\"",
                           STRVIEW_ARGS(text));
        return false;
    }
    return false;
}

static bool scan_value(struct scanner *scanner, struct source_node *node)
{
    char c = peek(scanner, 0);
    node->value_offset = scanner->at;
    if (c == '{')
        return scan_bracket(scanner, node, SOURCE_GROUP);
    if (c == '(')
        return scan_bracket(scanner, node, SOURCE_LIST);
    if (c == '[')
        return scan_bracket(scanner, node, SOURCE_ARRAY);
    if (c == '"')
        return scan_text(scanner, node);
    if (is_letter(c))
        return scan_word(scanner, node);
    if (is_digit(c) || c == '-' || c == '+' || c == '.')
        return scan_number(scanner, node);
    return fault_unexpected(scanner, "a value");
}

static bool check_bytes(struct scanner *scanner)
{
    struct strview text = scanner->text;
    size_t zero = strview_find(text, '\0');
    if (zero < text.length)
        return SCAN_FAULT(scanner, "bad-character",
                          source_span_at(scanner->source, (uint32_t)zero, 1),
                          "a zero byte: is this a text file?");
    if (strview_starts_with(text, STRVIEW("\xef\xbb\xbf")))
        return SCAN_FAULT(scanner, "bad-character", span_here(scanner, 1),
                          "the file begins with a byte order mark; save it as UTF-8 without one");
    return true;
}

struct source_scan source_scan(struct arena *arena, const struct source *source,
                               struct config_report *report)
{
    const size_t prefix = sizeof(PARSER_PREFIX) - 1;
    struct source_scan scan = {.root = arena_zalloc(arena, sizeof(*scan.root))};
    scan.root->source = source;
    struct strview text = source->text;
    scan.parser_text = arena_alloc(arena, prefix + text.length + sizeof(PARSER_SUFFIX));
    memcpy(scan.parser_text, PARSER_PREFIX, prefix);
    if (text.length > 0)
        memcpy(scan.parser_text + prefix, text.data, text.length);
    memcpy(scan.parser_text + prefix + text.length, PARSER_SUFFIX, sizeof(PARSER_SUFFIX));
    struct scanner scanner = {
        .source = source,
        .text = text,
        .copy = scan.parser_text + prefix,
        .arena = arena,
        .report = report,
    };
    if (!check_bytes(&scanner) || !scan_settings(&scanner, scan.root, true))
        scan.root = NULL;
    return scan;
}
