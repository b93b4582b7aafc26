/*
 * NDJSON in pieces to rows in a table: cuts the lines, reads each as a JSON object, binds its
 * members to an INSERT. Knows no network. Owner: one import. One thread.
 */
#ifndef SERVICE_KIT_IMPORT_LINES_H
#define SERVICE_KIT_IMPORT_LINES_H

#include "extracted/service_kit/body_text.h"
#include "extracted/service_kit/database.h"
#include "extracted/service_kit/row_reply.h"

enum { IMPORT_LINE_LIMIT = 1024 * 1024 };

struct import_lines {
    struct database *database;
    size_t insert_query;           /* ?1… in the order of the shape's members */
    const struct row_shape *shape; /* members that every line must have; others are ignored */
    struct body_text line;         /* a line of which the end has not come yet */
    uint64_t rows;
    const char *fault; /* a constant, what is wrong with line `rows + 1`; NULL: nothing */
};

void import_lines_init(struct import_lines *lines, struct database *database, size_t insert_query,
                       const struct row_shape *shape);
void import_lines_done(struct import_lines *lines);

/* False once a line could not be taken; `fault` says why. */
bool import_lines_feed(struct import_lines *lines, const char *bytes, size_t length);

/* At the end: false also if the last line was not ended. */
bool import_lines_finish(struct import_lines *lines);

#endif
