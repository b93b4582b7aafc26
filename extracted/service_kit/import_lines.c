#include "extracted/service_kit/import_lines.h"

#include <string.h>

#include "extracted/service_kit/row_bind.h"

void import_lines_init(struct import_lines *lines, struct database *database, size_t insert_query,
                       const struct row_shape *shape)
{
    *lines =
        (struct import_lines){.database = database, .insert_query = insert_query, .shape = shape};
    body_text_init(&lines->line, IMPORT_LINE_LIMIT);
}

void import_lines_done(struct import_lines *lines)
{
    body_text_done(&lines->line);
}

static bool fail(struct import_lines *lines, const char *fault)
{
    lines->fault = fault;
    return false;
}

static bool insert_row(struct import_lines *lines, const json_t *object)
{
    sqlite3_stmt *insert = database_begin(lines->database, lines->insert_query);
    if (!row_bind(insert, lines->shape, object))
        return fail(lines, "a member is missing or of another type");
    sqlite3_step(insert);
    if (!database_end(lines->database, insert))
        return fail(lines, "the database does not take it");
    lines->rows++;
    return true;
}

static bool take_line(struct import_lines *lines, const char *bytes, size_t length)
{
    json_error_t error;
    json_t *object = json_loadb(bytes, length, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
    if (object == NULL)
        return fail(lines, "not JSON");
    bool taken = insert_row(lines, object);
    json_decref(object);
    return taken;
}

/* Joins what was left over with the end of its line. */
static bool take_left_over(struct import_lines *lines, const char *bytes, size_t length)
{
    body_text_add(&lines->line, bytes, length);
    if (lines->line.overflowed)
        return fail(lines, "too long");
    bool taken = take_line(lines, lines->line.bytes, lines->line.length);
    body_text_clear(&lines->line);
    return taken;
}

bool import_lines_feed(struct import_lines *lines, const char *bytes, size_t length)
{
    const char *end = bytes + length;
    while (lines->fault == NULL && bytes < end) {
        const char *newline = memchr(bytes, '\n', (size_t)(end - bytes));
        if (newline == NULL) {
            body_text_add(&lines->line, bytes, (size_t)(end - bytes));
            return !lines->line.overflowed || fail(lines, "too long");
        }
        size_t line_length = (size_t)(newline - bytes);
        bool taken = lines->line.length > 0 ? take_left_over(lines, bytes, line_length)
                                            : take_line(lines, bytes, line_length);
        if (!taken)
            return false;
        bytes = newline + 1;
    }
    return lines->fault == NULL;
}

bool import_lines_finish(struct import_lines *lines)
{
    if (lines->fault == NULL && lines->line.length > 0)
        return fail(lines, "not ended");
    return lines->fault == NULL;
}
