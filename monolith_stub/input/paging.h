/*
 * Pages of a list, and ids as face 2.0 reads them: plain decimal numbers. Pure; any thread.
 */
#ifndef MONOLITH_PAGING_H
#define MONOLITH_PAGING_H

#include <stdbool.h>
#include <stdint.h>

#include "monolith_stub/text.h"

enum { PAGE_ROWS = 20, ID_LIST_LIMIT = 100 };

struct paging {
    int64_t page;  /* from 1 */
    int64_t pages; /* at least 1 */
    int64_t total;
};

struct id_list {
    unsigned count;
    int64_t ids[ID_LIST_LIMIT];
};

/* 1 to 15 digits, nothing else; at least 1. */
bool id_read(struct text_view digits, int64_t *ret_id);

/* 0 to 15 digits' worth: like id_read, but 0 is allowed. */
bool number_read(struct text_view digits, int64_t *ret_number);

/* "1,2,3": 1 to ID_LIST_LIMIT ids. */
bool id_list_read(struct text_view list, struct id_list *ret_list);

/* Empty text is page 1. */
bool page_read(struct text_view digits, int64_t *ret_page);

struct paging paging_of(int64_t page, int64_t total);
int64_t paging_offset(const struct paging *paging);

/* The page that holds the entry with `before` entries before it. */
int64_t paging_page_of(int64_t before);

#endif
