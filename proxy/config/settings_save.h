/*
 * Writes running values of a module into the file that defines it. Control thread; blocks for as
 * long as reading the configuration and the disk take.
 */
#ifndef CONFIG_SETTINGS_SAVE_H
#define CONFIG_SETTINGS_SAVE_H

#include "proxy/config/source_edit.h"

struct saved_value {
    struct source_edit edit;
    /* What the file said when the value was changed, as enum stage, buckets, enum write_owner:
     * another value by now is somebody's edit, which is not lost by saving. */
    int64_t was;
};

struct save_request {
    const char *path; /* as for settings_load; its files have to be free of errors */
    struct strview module;
    const struct saved_value *values;
    size_t value_count;
    bool force; /* whatever the file says by now */
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
