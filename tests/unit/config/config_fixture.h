/* Loads configurations for tests and says what their reports hold. Single-threaded. */
#ifndef TESTS_UNIT_CONFIG_FIXTURE_H
#define TESTS_UNIT_CONFIG_FIXTURE_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "proxy/config/settings.h"
#include "proxy/config/snapshot.h"

struct loaded {
    struct config_report report;
    struct settings *settings;
    struct snapshot *snapshot; /* NULL after an error */
    struct endpoint_registry *registry;
};

/* Listeners, backends `monolith` and `users`, default and identity: what a configuration needs. */
extern const char config_head[];

/* Loads and compiles a file or folder, or a text called "test.cfg". */
void loaded_from_path(struct loaded *loaded, const char *path);
void loaded_from_text(struct loaded *loaded, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void loaded_done(struct loaded *loaded);

/* "error unknown-key 3:5", one line a fault, sorted by file and place. Free with free(). */
char *report_lines(struct config_report *report, bool with_files);

/* The whole report as it is printed for people. Free with free(). */
char *report_text(struct config_report *report);

#endif
