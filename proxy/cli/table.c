#include "proxy/cli/table.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "proxy/core/array.h"

void table_init(struct table *table, const char *const *heads, size_t columns, unsigned right)
{
    *table = (struct table){.columns = columns, .right = right};
    struct table_row *row = table_add(table);
    for (size_t i = 0; i < columns; i++)
        table_set(row, i, COLOUR_DIM, "%s", heads[i]);
}

void table_done(struct table *table)
{
    free(table->items);
}

struct table_row *table_add(struct table *table)
{
    return ARRAY_PUSH(table);
}

/* At the end of a whole character, with a sign that something is missing. */
static void cut(char text[static TABLE_CELL_BYTES])
{
    static const char sign[] = "…";
    size_t end = TABLE_CELL_BYTES - sizeof(sign);
    while (end > 0 && ((unsigned char)text[end] & 0xc0) == 0x80)
        end--;
    memcpy(text + end, sign, sizeof(sign));
}

void table_set(struct table_row *row, size_t column, enum colour colour, const char *format, ...)
{
    struct table_cell *cell = &row->cells[column];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(cell->text, sizeof(cell->text), format, arguments);
    va_end(arguments);
    if (length >= (int)sizeof(cell->text))
        cut(cell->text);
    cell->colour = colour;
}

static size_t width_of(const struct table *table, size_t column)
{
    size_t width = 0;
    for (size_t i = 0; i < table->count; i++) {
        size_t own = terminal_width(table->items[i].cells[column].text);
        width = own > width ? own : width;
    }
    return width;
}

static void print_cell(const struct table_cell *cell, size_t padding, bool right, FILE *out)
{
    fprintf(out, "%*s%s", right ? (int)padding : 0, "", terminal_begin(cell->colour));
    terminal_print(out, cell->text);
    fprintf(out, "%s%*s", cell->colour != COLOUR_NONE ? terminal_end() : "",
            right ? 0 : (int)padding, "");
}

/* The last column that holds something: no blanks behind it. */
static size_t columns_of(const struct table *table, const struct table_row *row)
{
    size_t columns = table->columns;
    while (columns > 0 && row->cells[columns - 1].text[0] == '\0')
        columns--;
    return columns;
}

void table_print(const struct table *table, FILE *out)
{
    size_t widths[TABLE_COLUMNS_MAX];
    for (size_t column = 0; column < table->columns; column++)
        widths[column] = width_of(table, column);
    for (size_t i = 0; i < table->count; i++) {
        const struct table_row *row = &table->items[i];
        size_t columns = columns_of(table, row);
        for (size_t column = 0; column < columns; column++) {
            const struct table_cell *cell = &row->cells[column];
            bool right = (table->right & 1u << column) != 0;
            size_t padding = widths[column] - terminal_width(cell->text);
            if (!right && column + 1 == columns)
                padding = 0;
            if (column > 0)
                fputs("  ", out);
            print_cell(cell, padding, right, out);
        }
        fputc('\n', out);
    }
}
