/* Growing arrays for code off the request path (configuration, tables). */
#ifndef CORE_ARRAY_H
#define CORE_ARRAY_H

#include <stdbool.h>
#include <stddef.h>

/*
 * malloc, calloc, realloc, strdup that never return NULL: when memory is out they give the reserve
 * back to the system and try again, and abort when that does not help. The caller frees with
 * free().
 */
void *memory_alloc(size_t bytes);
void *memory_zalloc(size_t bytes);
void *memory_realloc(void *old, size_t bytes);
char *memory_strdup(const char *text);
char *memory_strndup(const char *text, size_t length);

/*
 * Address space that nobody uses and that costs no resident memory. Makes sure that it is there:
 * false while it cannot be had, when nothing new should be begun. Any thread.
 */
bool memory_reserve_fill(void);

/*
 * Makes room for one more element: `*items` of `size` bytes each, `count` in use, `*capacity` had.
 * Doubles. Use through ARRAY_PUSH.
 */
void array_reserve(void **items, size_t size, size_t count, size_t *capacity);

/* ARRAY_PUSH(list) for a struct with items, count, capacity: the address of a new, zeroed element.
 */
#define ARRAY_PUSH(list)                                                                           \
    (array_reserve((void **)&(list)->items, sizeof(*(list)->items), (list)->count,                 \
                   &(list)->capacity),                                                             \
     &(list)->items[(list)->count++])

#endif
