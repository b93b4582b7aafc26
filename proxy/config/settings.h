/*
 * What the configuration files said, read and checked but not compiled. Owner: the caller.
 * One thread. Every value keeps the place where it stands, so that later faults can point there.
 */
#ifndef CONFIG_SETTINGS_H
#define CONFIG_SETTINGS_H

#include "proxy/config/report.h"

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

/* Where route `index` (of the snapshot's route_infos) is defined: the file; sets the line. */
struct strview settings_route_place(const struct settings *settings, uint32_t index,
                                    uint32_t *ret_line);

#endif
