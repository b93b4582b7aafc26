/*
 * The state of one scan and the small steps that both of its parts take: source_scan.c reads the
 * structure (settings, groups, lists), source_scalar.c what stands between. Internal; one thread.
 */
#ifndef CONFIG_SCANNER_H
#define CONFIG_SCANNER_H

#include "proxy/config/source_position.h"

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

static inline bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static inline bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static inline bool is_name_byte(char c)
{
    return is_letter(c) || is_digit(c) || c == '-' || c == '_';
}

/* '\0' at the end; the text itself has no zero byte when this is called. */
static inline char peek(const struct scanner *scanner, uint32_t ahead)
{
    size_t at = (size_t)scanner->at + ahead;
    return at < scanner->text.length ? scanner->text.data[at] : '\0';
}

static inline bool at_end(const struct scanner *scanner)
{
    return scanner->at >= scanner->text.length;
}

static inline struct source_span span_here(const struct scanner *scanner, uint32_t length)
{
    return source_span_at(scanner->source, scanner->at, length);
}

/* Reports an error and is false, so that a step can end with it. */
#define SCAN_FAULT(scanner, code, span, ...)                                                       \
    (source_error((scanner)->report, code, span, __VA_ARGS__), false)

/* Skips white space and comments; false after a fault (a comment that does not end). */
bool scanner_skip_blank(struct scanner *scanner);

/* Reports that something else than `wanted` stands here; always false. */
bool scanner_unexpected(struct scanner *scanner, const char *wanted);

/* A text, number, true or false into `node`, whose value_offset is set; false after a fault. */
bool scanner_read_scalar(struct scanner *scanner, struct source_node *node);

#endif
