/*
 * The text of one configuration file and the places in it. libconfig knows lines only; places here
 * are byte offsets, so that a fault can point at a name, a value, or a byte inside a regex. A
 * source and its nodes live in the arena of the settings that were read from it. One thread.
 */
#ifndef CONFIG_SOURCE_POSITION_H
#define CONFIG_SOURCE_POSITION_H

#include "proxy/config/report.h"

enum {
    SOURCE_BYTES_MAX = 16 * 1024 * 1024,
    SOURCE_NAME_BYTES_MAX = 100,
    SOURCE_VALUE_BYTES_MAX = 8 * 1024,
    SOURCE_DEPTH_MAX = 16,
};

struct source {
    struct strview path;   /* as it was asked for; terminated */
    struct strview folder; /* of the file, with its '/' at the end; empty for the current one */
    struct strview text;
    uint32_t *line_starts; /* offsets, ascending */
    size_t line_count;
};

enum source_kind {
    SOURCE_GROUP,
    SOURCE_LIST,
    SOURCE_ARRAY,
    SOURCE_TEXT,
    SOURCE_INTEGER,
    SOURCE_FLOAT,
    SOURCE_FLAG,
};

/* One setting, or one element of a list or array. */
struct source_node {
    const struct source *source;
    enum source_kind kind;
    struct strview name;   /* views the source; empty in lists and arrays */
    uint32_t value_offset; /* of a group, list or array: its opening bracket */
    uint32_t value_length;
    struct source_node *first_child;
    struct source_node *next;
    uint32_t child_count;
};

struct source_span {
    const struct source *source;
    uint32_t offset;
    uint32_t length;
};

/*
 * Reads a file into `arena`. NULL with a fault in the report when it cannot be read, is no regular
 * file, or is larger than SOURCE_BYTES_MAX.
 */
struct source *source_load(struct arena *arena, struct strview path, struct config_report *report);

/* The same for text that is already there; borrows `text`. */
struct source *source_from_text(struct arena *arena, struct strview path, struct strview text);

struct source_span source_span_at(const struct source *source, uint32_t offset, uint32_t length);

/* The name of a setting; of an element, which has none, its value. */
struct source_span source_name_span(const struct source_node *node);
struct source_span source_value_span(const struct source_node *node);

/* The source byte of a text value that became byte `offset` of what libconfig made of it. */
struct source_span source_text_span(const struct source_node *node, size_t offset);

/* From 1. */
uint32_t source_line(const struct source *source, uint32_t offset);

/* "routes/10-backends.cfg:9", in `arena`. */
struct strview source_place(struct arena *arena, struct source_span span);

/* Reports a fault at a place; config_report_hint adds to it. `code` is a literal. */
void source_error(struct config_report *report, const char *code, struct source_span span,
                  const char *format, ...) __attribute__((format(printf, 4, 5)));
void source_warning(struct config_report *report, const char *code, struct source_span span,
                    const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Reports a fault about a file (or folder) as a whole. */
void source_file_warning(struct config_report *report, const char *code, struct strview path,
                         const char *format, ...) __attribute__((format(printf, 4, 5)));
void source_file_error(struct config_report *report, const char *code, struct strview path,
                       const char *format, ...) __attribute__((format(printf, 4, 5)));

#endif
