#include "proxy/config/source_position.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proxy/core/check.h"

static void index_lines(struct source *source, struct arena *arena)
{
    struct strview text = source->text;
    source->line_count = 1;
    for (size_t i = 0; i < text.length; i++)
        source->line_count += text.data[i] == '\n';
    source->line_starts = arena_alloc(arena, source->line_count * sizeof(uint32_t));
    size_t line = 0;
    source->line_starts[line++] = 0;
    for (size_t i = 0; i < text.length; i++) {
        if (text.data[i] == '\n')
            source->line_starts[line++] = (uint32_t)i + 1;
    }
}

struct source *source_from_text(struct arena *arena, struct strview path, struct strview text)
{
    struct source *source = arena_zalloc(arena, sizeof(*source));
    source->path = arena_copy(arena, path);
    source->folder = source->path;
    while (source->folder.length > 0 && source->folder.data[source->folder.length - 1] != '/')
        source->folder.length--;
    source->text = text;
    index_lines(source, arena);
    return source;
}

/* Reads up to `size` bytes; the number read, or -1. */
static ssize_t read_whole(int descriptor, char *bytes, size_t size)
{
    size_t used = 0;
    while (used < size) {
        ssize_t got = read(descriptor, bytes + used, size - used);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        used += (size_t)got;
    }
    return (ssize_t)used;
}

static bool read_text(int descriptor, struct arena *arena, struct strview path,
                      struct strview *ret_text, struct config_report *report)
{
    struct stat status;
    if (fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode)) {
        source_file_error(report, "file-unreadable", path, "this is no regular file");
        return false;
    }
    if (status.st_size > SOURCE_BYTES_MAX) {
        source_file_error(report, "file-too-large", path, "larger than %d MiB",
                          SOURCE_BYTES_MAX / (1024 * 1024));
        return false;
    }
    size_t size = (size_t)status.st_size;
    char *bytes = arena_alloc(arena, size + 1);
    ssize_t got = read_whole(descriptor, bytes, size);
    if (got < 0) {
        source_file_error(report, "file-unreadable", path, "cannot be read: %s", strerror(errno));
        return false;
    }
    bytes[got] = '\0';
    *ret_text = strview_make(bytes, (size_t)got);
    return true;
}

struct source *source_load(struct arena *arena, struct strview path, struct config_report *report)
{
    struct strview name = arena_copy(arena, path);
    /* Without O_NONBLOCK a named pipe in the folder would hold us for ever. */
    int descriptor = open(name.data, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0) {
        source_file_error(report, "file-unreadable", path, "cannot be opened: %s", strerror(errno));
        return NULL;
    }
    struct strview text;
    bool read_ok = read_text(descriptor, arena, path, &text, report);
    close(descriptor);
    return read_ok ? source_from_text(arena, path, text) : NULL;
}

struct source_span source_span_at(const struct source *source, uint32_t offset, uint32_t length)
{
    return (struct source_span){source, offset, length};
}

struct source_span source_name_span(const struct source_node *node)
{
    if (node->name.length == 0)
        return source_value_span(node);
    uint32_t offset = (uint32_t)(node->name.data - node->source->text.data);
    return source_span_at(node->source, offset, (uint32_t)node->name.length);
}

struct source_span source_value_span(const struct source_node *node)
{
    return source_span_at(node->source, node->value_offset, node->value_length);
}

/* Source bytes of the character at `at` inside quotes: an escape is longer than what it means. */
static uint32_t character_length(struct strview text, uint32_t at)
{
    if (text.data[at] != '\\' || at + 1 >= text.length)
        return 1;
    char next = text.data[at + 1];
    if (next == 'x' || next == 'X')
        return 4; /* the scanner refuses \x without two digits */
    return strchr("nrtf\\\"", next) != NULL ? 2 : 1;
}

struct source_span source_text_span(const struct source_node *node, size_t offset)
{
    struct strview text = node->source->text;
    uint32_t end = node->value_offset + node->value_length;
    if (node->kind != SOURCE_TEXT)
        return source_value_span(node);
    bool inside = false;
    uint32_t at = node->value_offset;
    while (at < end) {
        /* Adjacent literals are one text; between them is only white space and comments, and those
         * are rare enough here that a quote inside a comment may misplace the caret. */
        if (text.data[at] == '"') {
            inside = !inside;
            at++;
            continue;
        }
        uint32_t length = inside ? character_length(text, at) : 1;
        if (inside && offset-- == 0)
            return source_span_at(node->source, at, length);
        at += length;
    }
    return source_span_at(node->source, end - 1, 1);
}

uint32_t source_line(const struct source *source, uint32_t offset)
{
    size_t low = 0;
    size_t high = source->line_count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (source->line_starts[middle] <= offset)
            low = middle;
        else
            high = middle;
    }
    return (uint32_t)low + 1;
}

struct strview source_place(struct arena *arena, struct source_span span)
{
    return arena_printf(arena, "%.*s:%u", STRVIEW_ARGS(span.source->path),
                        source_line(span.source, span.offset));
}

static struct strview line_text(const struct source *source, uint32_t line)
{
    struct strview rest = strview_from(source->text, source->line_starts[line - 1]);
    rest.length = strview_find(rest, '\n');
    if (rest.length > 0 && rest.data[rest.length - 1] == '\r')
        rest.length--;
    return rest;
}

static void add_at(struct config_report *report, enum report_severity severity, const char *code,
                   struct source_span span, struct strview text)
{
    uint32_t line = source_line(span.source, span.offset);
    config_report_add(report, &(struct config_fault){
                                  .severity = severity,
                                  .code = strview_of(code),
                                  .file = span.source->path,
                                  .line = line,
                                  .column = span.offset - span.source->line_starts[line - 1] + 1,
                                  .width = span.length > 0 ? span.length : 1,
                                  .text = text,
                                  .source_line = line_text(span.source, line),
                              });
}

__attribute__((format(printf, 2, 0))) static struct strview
format_text(char **ret_text, const char *format, va_list arguments)
{
    int length = vasprintf(ret_text, format, arguments);
    CHECK(length >= 0);
    return strview_make(*ret_text, (size_t)length);
}

void source_error(struct config_report *report, const char *code, struct source_span span,
                  const char *format, ...)
{
    char *text;
    va_list arguments;
    va_start(arguments, format);
    add_at(report, REPORT_ERROR, code, span, format_text(&text, format, arguments));
    va_end(arguments);
    free(text);
}

void source_warning(struct config_report *report, const char *code, struct source_span span,
                    const char *format, ...)
{
    char *text;
    va_list arguments;
    va_start(arguments, format);
    add_at(report, REPORT_WARNING, code, span, format_text(&text, format, arguments));
    va_end(arguments);
    free(text);
}

__attribute__((format(printf, 5, 0))) static void report_file(struct config_report *report,
                                                              enum report_severity severity,
                                                              const char *code, struct strview path,
                                                              const char *format, va_list arguments)
{
    char *text;
    config_report_add(report, &(struct config_fault){
                                  .severity = severity,
                                  .code = strview_of(code),
                                  .file = path,
                                  .width = 1,
                                  .text = format_text(&text, format, arguments),
                              });
    free(text);
}

void source_file_warning(struct config_report *report, const char *code, struct strview path,
                         const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    report_file(report, REPORT_WARNING, code, path, format, arguments);
    va_end(arguments);
}

void source_file_error(struct config_report *report, const char *code, struct strview path,
                       const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    report_file(report, REPORT_ERROR, code, path, format, arguments);
    va_end(arguments);
}
