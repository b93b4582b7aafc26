#include "proxy/config/scanner.h"

#include "proxy/config/source_number.h"

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

bool scanner_skip_blank(struct scanner *scanner)
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

/* Quotes as a word processor sets them: U+2018 … U+201F, and the French ones. */
static bool is_typographic_quote(const struct scanner *scanner)
{
    unsigned char bytes[3];
    for (uint32_t i = 0; i < 3; i++)
        bytes[i] = (unsigned char)peek(scanner, i);
    if (bytes[0] == 0xc2)
        return bytes[1] == 0xab || bytes[1] == 0xbb;
    return bytes[0] == 0xe2 && bytes[1] == 0x80 && bytes[2] >= 0x98 && bytes[2] <= 0x9f;
}

static bool fault_foreign_byte(struct scanner *scanner, const char *wanted)
{
    bool is_quote = is_typographic_quote(scanner);
    source_error(scanner->report, "bad-character", span_here(scanner, 1),
                 "byte 0x%02x stands where %s is expected", (unsigned char)peek(scanner, 0),
                 wanted);
    if (is_quote)
        config_report_hint(scanner->report, "texts stand in plain quotes: \"");
    return false;
}

bool scanner_unexpected(struct scanner *scanner, const char *wanted)
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
        return fault_foreign_byte(scanner, wanted);
    return SCAN_FAULT(scanner, "syntax", span_here(scanner, 1), "`%c` stands where %s is expected",
                      c, wanted);
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
        if (!scanner_skip_blank(scanner))
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

bool scanner_read_scalar(struct scanner *scanner, struct source_node *node)
{
    char c = peek(scanner, 0);
    if (c == '"')
        return scan_text(scanner, node);
    if (is_letter(c))
        return scan_word(scanner, node);
    if (is_digit(c) || c == '-' || c == '+' || c == '.')
        return scan_number(scanner, node);
    return scanner_unexpected(scanner, "a value");
}
