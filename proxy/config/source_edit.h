/*
 * Sets single values in the text of a configuration file; every other byte stays as it is, comments
 * and layout too. Pure, any thread.
 */
#ifndef CONFIG_SOURCE_EDIT_H
#define CONFIG_SOURCE_EDIT_H

#include "proxy/core/arena.h"
#include "proxy/core/fault.h"

struct source_edit {
    struct strview key;   /* of a module: "stage" */
    struct strview value; /* without quotes: "ramp", "12.5" */
    bool is_word;         /* stands in quotes; a percentage does if it did, with its `%` */
};

/*
 * The text with one key of `module` set, in `arena`. A key that is not there yet is written beside
 * `stage`, or beside another key of the module: on a line of its own when that one has one. False
 * with *fault set when the text cannot be read or does not define the module.
 */
bool source_edit_set(struct arena *arena, struct strview text, struct strview module,
                     const struct source_edit *edit, struct strview *ret_text, struct fault *fault);

#endif
