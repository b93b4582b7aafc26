/* Rows of words in columns that are as wide as they need to be. One thread. */
#ifndef CLI_TABLE_H
#define CLI_TABLE_H

#include "proxy/cli/terminal.h"

enum { TABLE_COLUMNS_MAX = 16, TABLE_CELL_BYTES = 160 };

struct table_cell {
    char text[TABLE_CELL_BYTES];
    enum colour colour;
};

struct table_row {
    struct table_cell cells[TABLE_COLUMNS_MAX];
};

struct table {
    struct table_row *items;
    size_t count;
    size_t capacity;
    size_t columns;
    unsigned right; /* set of columns whose words stand at the right */
};

/* `heads` has `columns` texts; they are the first row. */
void table_init(struct table *table, const char *const *heads, size_t columns, unsigned right);
void table_done(struct table *table);

/* A new row, to be filled with table_set. Moves the others. */
struct table_row *table_add(struct table *table);
void table_set(struct table_row *row, size_t column, enum colour colour, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

void table_print(const struct table *table, FILE *out);

#endif
