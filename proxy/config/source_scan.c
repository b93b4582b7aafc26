/*
 * libconfig compares each new name of a group with all names before it, which makes 10 000 routes
 * take seconds, and stops at a name that stands twice. It therefore gets the same text with every
 * group written as a list: names and terminators blanked, a comma in the first byte of each name
 * but the first. Lengths and lines stay. Names are ours to compare, in the tree that is built here.
 */
#include "proxy/config/source_scan.h"

#include "proxy/config/scanner.h"

/* What the whole text is wrapped in for libconfig. */
#define PARSER_PREFIX SOURCE_SCAN_ROOT_NAME "=("
#define PARSER_SUFFIX "\n)\n"

static bool scan_value(struct scanner *scanner, struct source_node *node);

static uint32_t line_of(const struct scanner *scanner, uint32_t offset)
{
    return source_line(scanner->source, offset);
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
        return scanner_unexpected(scanner, "a name");
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
    if (!scan_name(scanner, node) || !scanner_skip_blank(scanner))
        return false;
    if (!first)
        scanner->copy[start] = ',';
    if (peek(scanner, 0) != '=' && peek(scanner, 0) != ':')
        return scanner_unexpected(scanner, "`=` or `:` after the name");
    blank(scanner, scanner->at++, 1);
    if (!scanner_skip_blank(scanner) || !scan_value(scanner, node) || !scanner_skip_blank(scanner))
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
        if (!scanner_skip_blank(scanner))
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
    if (!scanner_skip_blank(scanner))
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
        if (!scanner_skip_blank(scanner))
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
        if (!scanner_skip_blank(scanner) || !scan_separator(scanner, list, closer))
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

static bool scan_value(struct scanner *scanner, struct source_node *node)
{
    node->value_offset = scanner->at;
    switch (peek(scanner, 0)) {
    case '{':
        return scan_bracket(scanner, node, SOURCE_GROUP);
    case '(':
        return scan_bracket(scanner, node, SOURCE_LIST);
    case '[':
        return scan_bracket(scanner, node, SOURCE_ARRAY);
    default:
        return scanner_read_scalar(scanner, node);
    }
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
