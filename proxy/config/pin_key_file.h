/*
 * The keys that sign pins: `pin.keys` in the folder for state, one key a line as 64 hexadecimal
 * digits, comments with '#'. The first signs, all verify, so that keys can be changed without a
 * pause. Replicas share the file by copying it. One thread, off the request path.
 */
#ifndef CONFIG_PIN_KEY_FILE_H
#define CONFIG_PIN_KEY_FILE_H

#include "proxy/core/fault.h"
#include "proxy/routing/pin.h"

/* False with the fault set when the file cannot be used. */
bool pin_key_file_read(const char *state_dir, struct pin_keys *ret_keys, struct fault *fault);

/* The same; a file that is not there is made with one key, and so is the folder. */
bool pin_key_file_read_or_make(const char *state_dir, struct pin_keys *ret_keys,
                               struct fault *fault);

/* The keys of a text; for the above and for tests. `path` is what the fault calls it. */
bool pin_keys_parse(const char *path, struct strview text, struct pin_keys *ret_keys,
                    struct fault *fault);

#endif
