#include "proxy/core/array.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "proxy/core/check.h"

void *memory_alloc(size_t bytes)
{
    void *memory = malloc(bytes ? bytes : 1);
    CHECK(memory != NULL);
    return memory;
}

void *memory_zalloc(size_t bytes)
{
    void *memory = calloc(1, bytes ? bytes : 1);
    CHECK(memory != NULL);
    return memory;
}

void *memory_realloc(void *old, size_t bytes)
{
    void *memory = realloc(old, bytes ? bytes : 1);
    CHECK(memory != NULL);
    return memory;
}

char *memory_strdup(const char *text)
{
    return memory_strndup(text, strlen(text));
}

char *memory_strndup(const char *text, size_t length)
{
    char *copy = memory_alloc(length + 1);
    if (length > 0)
        memcpy(copy, text, length);
    copy[length] = '\0';
    return copy;
}

void array_reserve(void **items, size_t size, size_t count, size_t *capacity)
{
    if (count == *capacity) {
        size_t grown = *capacity ? *capacity * 2 : 8;
        CHECK(grown <= SIZE_MAX / size);
        *items = memory_realloc(*items, grown * size);
        *capacity = grown;
    }
    memset((char *)*items + count * size, 0, size);
}
