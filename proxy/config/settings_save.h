/*
 * Writes running values of a module into the file that defines it. Control thread; blocks for as
 * long as reading the configuration and the disk take.
 */
#ifndef CONFIG_SETTINGS_SAVE_H
#define CONFIG_SETTINGS_SAVE_H

#include "proxy/config/source_edit.h"

struct save_request {
    const char *path; /* as for settings_load; its files have to be free of errors */
    struct strview module;
    const struct source_edit *edits;
    size_t edit_count;
};

enum { SAVE_FILE_BYTES = 1024 };

struct save_result {
    bool changed; /* the file had other values */
    char file[SAVE_FILE_BYTES];
};

/* All of the values or, on failure, none. */
bool settings_save_module(const struct save_request *request, struct save_result *ret_result,
                          struct fault *fault);

#endif
