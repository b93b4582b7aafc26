#include "proxy/config/report.h"

#include <stdarg.h>
#include <stdlib.h>

enum { QUOTED_LINE_BYTES = 120 };

void config_report_init(struct config_report *report)
{
    *report = (struct config_report){.count = 0};
    arena_init(&report->arena, NULL);
}

void config_report_done(struct config_report *report)
{
    arena_done(&report->arena);
}

/* Where the next fault may be kept: a free place, or for an error that of the last warning. */
static struct config_fault *slot_for(struct config_report *report, enum report_severity severity)
{
    if (report->count < REPORT_FAULTS_MAX)
        return &report->faults[report->count++];
    if (severity == REPORT_WARNING)
        return NULL;
    for (size_t i = report->count; i-- > 0;) {
        if (report->faults[i].severity == REPORT_WARNING)
            return &report->faults[i];
    }
    return NULL;
}

void config_report_add(struct config_report *report, const struct config_fault *fault)
{
    if (fault->severity == REPORT_ERROR)
        report->errors++;
    else
        report->warnings++;
    struct config_fault *slot = slot_for(report, fault->severity);
    report->last = slot;
    if (slot == NULL)
        return;
    *slot = *fault;
    slot->code = arena_copy(&report->arena, fault->code);
    slot->file = arena_copy(&report->arena, fault->file);
    slot->text = arena_copy(&report->arena, fault->text);
    slot->source_line = arena_copy(&report->arena, fault->source_line);
    slot->hint = arena_copy(&report->arena, fault->hint);
}

bool config_report_wants_hint(const struct config_report *report)
{
    return report->last != NULL;
}

void config_report_hint(struct config_report *report, const char *format, ...)
{
    if (report->last == NULL)
        return;
    char *text = NULL;
    va_list arguments;
    va_start(arguments, format);
    int length = vasprintf(&text, format, arguments);
    va_end(arguments);
    if (length < 0)
        return;
    report->last->hint = arena_copy(&report->arena, strview_make(text, (size_t)length));
    free(text);
}

static int compare_faults(const void *left, const void *right)
{
    const struct config_fault *a = left;
    const struct config_fault *b = right;
    int order = strview_compare(a->file, b->file);
    if (order == 0)
        order = (a->line > b->line) - (a->line < b->line);
    if (order == 0)
        order = (a->column > b->column) - (a->column < b->column);
    if (order == 0)
        order = strview_compare(a->text, b->text);
    return order;
}

static void sort_faults(struct config_report *report)
{
    report->last = NULL;
    qsort(report->faults, report->count, sizeof(report->faults[0]), compare_faults);
}

static const char *severity_name(const struct config_fault *fault)
{
    return fault->severity == REPORT_ERROR ? "error" : "warning";
}

/* A control character would act on the reader's terminal. */
static void print_printable(struct strview text, FILE *out)
{
    for (size_t i = 0; i < text.length; i++) {
        unsigned char c = (unsigned char)text.data[i];
        fputc(c == '\t' || (c >= 0x20 && c != 0x7f) ? c : '?', out);
    }
}

static bool is_continuation(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

/* The part of a long line around the caret; moves *column along. */
static struct strview visible_part(const struct config_fault *fault, size_t *column)
{
    struct strview line = fault->source_line;
    if (line.length > QUOTED_LINE_BYTES && *column > QUOTED_LINE_BYTES / 2) {
        size_t cut = *column - QUOTED_LINE_BYTES / 2;
        if (cut > line.length - QUOTED_LINE_BYTES)
            cut = line.length - QUOTED_LINE_BYTES;
        while (cut > 0 && is_continuation(line.data[cut]))
            cut--;
        line = strview_from(line, cut);
        *column -= cut;
    }
    if (line.length > QUOTED_LINE_BYTES)
        line.length = QUOTED_LINE_BYTES;
    while (line.length < fault->source_line.length && line.length > 0 &&
           line.data + line.length < fault->source_line.data + fault->source_line.length &&
           is_continuation(line.data[line.length]))
        line.length--;
    return line;
}

/* The line, and under it a caret with as many tildes as the fault is wide. */
static void print_quoted(const struct config_fault *fault, FILE *out)
{
    size_t column = fault->column > 0 ? fault->column - 1 : 0;
    struct strview line = visible_part(fault, &column);
    print_printable(line, out);
    fputc('\n', out);
    for (size_t i = 0; i < column && i < line.length; i++) {
        if (!is_continuation(line.data[i]))
            fputc(line.data[i] == '\t' ? '\t' : ' ', out);
    }
    fputc('^', out);
    for (size_t i = column + 1; i < column + fault->width && i < line.length; i++) {
        if (!is_continuation(line.data[i]))
            fputc('~', out);
    }
    fputc('\n', out);
}

static void print_fault(const struct config_fault *fault, FILE *out)
{
    print_printable(fault->file, out);
    if (fault->line > 0)
        fprintf(out, ":%u:%u", fault->line, fault->column);
    fprintf(out, ": %s[%.*s]: ", severity_name(fault), STRVIEW_ARGS(fault->code));
    print_printable(fault->text, out);
    fputc('\n', out);
    if (fault->source_line.length > 0)
        print_quoted(fault, out);
    if (fault->hint.length > 0) {
        fputs("hint: ", out);
        print_printable(fault->hint, out);
        fputc('\n', out);
    }
}

void config_report_print(struct config_report *report, FILE *out)
{
    sort_faults(report);
    for (size_t i = 0; i < report->count; i++)
        print_fault(&report->faults[i], out);
    size_t all = report->errors + report->warnings;
    if (all > report->count)
        fprintf(out, "… and %zu more\n", all - report->count);
}

/* How many bytes of well-formed UTF-8 begin here (RFC 3629); 0: not well-formed. */
static size_t utf8_length(const unsigned char *bytes, size_t available)
{
    static const struct {
        unsigned char first_low, first_high, second_low, second_high;
        size_t length;
    } forms[] = {
        {0x00, 0x7f, 0, 0, 1},       {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
        {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
        {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
    };
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        if (bytes[0] < forms[i].first_low || bytes[0] > forms[i].first_high)
            continue;
        if (forms[i].length == 1)
            return 1;
        if (available < forms[i].length || bytes[1] < forms[i].second_low ||
            bytes[1] > forms[i].second_high)
            return 0;
        for (size_t k = 2; k < forms[i].length; k++) {
            if (!is_continuation((char)bytes[k]))
                return 0;
        }
        return forms[i].length;
    }
    return 0;
}

static void print_json_text(struct strview text, FILE *out)
{
    fputc('"', out);
    for (size_t i = 0; i < text.length;) {
        const unsigned char *bytes = (const unsigned char *)text.data + i;
        size_t length = utf8_length(bytes, text.length - i);
        if (length == 0)
            fputs("\\ufffd", out);
        else if (bytes[0] == '"' || bytes[0] == '\\')
            fprintf(out, "\\%c", bytes[0]);
        else if (bytes[0] < 0x20)
            fprintf(out, "\\u%04x", bytes[0]);
        else
            fwrite(bytes, 1, length, out);
        i += length ? length : 1;
    }
    fputc('"', out);
}

static void print_json_member(const char *name, struct strview text, FILE *out)
{
    fprintf(out, ",\"%s\":", name);
    print_json_text(text, out);
}

void config_report_print_json(struct config_report *report, FILE *out)
{
    sort_faults(report);
    fputc('[', out);
    for (size_t i = 0; i < report->count; i++) {
        const struct config_fault *fault = &report->faults[i];
        fprintf(out, "%s{\"severity\":\"%s\"", i > 0 ? "," : "", severity_name(fault));
        print_json_member("code", fault->code, out);
        print_json_member("file", fault->file, out);
        fprintf(out, ",\"line\":%u,\"column\":%u,\"width\":%u", fault->line, fault->column,
                fault->width);
        print_json_member("text", fault->text, out);
        print_json_member("source_line", fault->source_line, out);
        print_json_member("hint", fault->hint, out);
        fputc('}', out);
    }
    fputs("]", out);
}
