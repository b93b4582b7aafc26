/*
 * What the configuration files said, read and checked but not compiled. Owner: the caller.
 * One thread. Every value keeps the place where it stands, so that later faults can point there.
 */
#ifndef CONFIG_SETTINGS_H
#define CONFIG_SETTINGS_H

#include "proxy/config/report.h"
#include "proxy/core/fault.h"

struct settings;

/*
 * Reads a file, or every *.cfg of a folder in name order (not its sub-folders), merges the groups
 * and checks everything that can be checked without compiling. NULL when there was any error; all
 * of them are in `report`. Relative paths inside a file are relative to that file's folder.
 */
struct settings *settings_load(const char *path, struct config_report *report);

/* The same for one text that is already in memory; `path` is what faults call it. */
struct settings *settings_load_text(struct strview path, struct strview text,
                                    struct config_report *report);
void settings_free(struct settings *settings); /* NULL is allowed */

enum { SETTINGS_PLACE_BYTES = 4096 };

/* How a proxy that runs with these files can be spoken to. */
struct settings_admin {
    char address[SETTINGS_PLACE_BYTES]; /* empty: not at all */
    char state_dir[SETTINGS_PLACE_BYTES];
};

/*
 * Reads that much of a configuration, whatever else is wrong in it: who has to stop a migration
 * does not wait for a comma. False, with a fault, when there are no files at all.
 */
bool settings_find_admin(const char *path, struct settings_admin *ret_admin, struct fault *fault);

#endif
