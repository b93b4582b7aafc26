/*
 * A scanner over configuration text, beside libconfig: it finds where every name and value stands,
 * and the faults that libconfig hides or reports without a place (missing brackets, trailing
 * commas, integers that it would change). It does not interpret values. One thread.
 */
#ifndef CONFIG_SOURCE_SCAN_H
#define CONFIG_SOURCE_SCAN_H

#include "proxy/config/source_position.h"

/* What libconfig calls the list that the whole file becomes. */
#define SOURCE_SCAN_ROOT_NAME "file"

struct source_scan {
    struct source_node *root; /* a group: the settings of the file */
    char *parser_text;        /* for config_read_string: every group written as a list */
};

/*
 * Scans a source into `arena`. NULL in root when there was a syntax fault, which is in the report;
 * the scan ends at the first one, because what follows it cannot be told apart.
 */
struct source_scan source_scan(struct arena *arena, const struct source *source,
                               struct config_report *report);

#endif
