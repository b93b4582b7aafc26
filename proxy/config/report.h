/*
 * Faults of configuration files, as people read them: where, what, the quoted line, a caret, a
 * hint. Collects at most REPORT_FAULTS_MAX and counts the rest. Owner: the caller; one thread.
 */
#ifndef CONFIG_REPORT_H
#define CONFIG_REPORT_H

#include <stdio.h>

#include "proxy/core/arena.h"

enum { REPORT_FAULTS_MAX = 20 };

enum report_severity { REPORT_WARNING, REPORT_ERROR };

struct config_fault {
    enum report_severity severity;
    struct strview code; /* stable, documented in routes/README.md */
    struct strview file;
    uint32_t line;   /* from 1; 0: the file as a whole */
    uint32_t column; /* from 1, in bytes */
    uint32_t width;  /* bytes to underline, at least 1 */
    struct strview text;
    struct strview source_line; /* empty when there is none to quote */
    struct strview hint;        /* empty when there is none */
};

struct config_report {
    struct arena arena;
    struct config_fault faults[REPORT_FAULTS_MAX];
    size_t count;
    size_t errors; /* also those beyond the maximum */
    size_t warnings;
    struct config_fault *last; /* the fault that a hint would belong to; NULL: it was not kept */
};

void config_report_init(struct config_report *report);
void config_report_done(struct config_report *report);

/* Copies the texts. When there is no room an error takes the place of a warning. */
void config_report_add(struct config_report *report, const struct config_fault *fault);

/* Gives the fault that was added last a hint; nothing happens when it was not kept. */
void config_report_hint(struct config_report *report, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Would the last fault use a hint? Costly hints (searches for similar words) ask first. */
bool config_report_wants_hint(const struct config_report *report);

/* Sorts by file, line and column and prints, for a person or as a JSON array. */
void config_report_print(struct config_report *report, FILE *out);
void config_report_print_json(struct config_report *report, FILE *out);

#endif
