#include "proxy/core/array.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "proxy/core/check.h"

enum { RESERVE_BYTES = 4 * 1024 * 1024 };

static void *_Atomic reserve;

bool memory_reserve_fill(void)
{
    if (atomic_load_explicit(&reserve, memory_order_relaxed) != NULL)
        return true;
    void *fresh =
        mmap(NULL, RESERVE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (fresh == MAP_FAILED)
        return false;
    void *none = NULL;
    if (!atomic_compare_exchange_strong(&reserve, &none, fresh))
        munmap(fresh, RESERVE_BYTES); /* another thread was quicker */
    return true;
}

static void reserve_give_back(void)
{
    void *given = atomic_exchange(&reserve, NULL);
    if (given != NULL)
        munmap(given, RESERVE_BYTES);
}

void *memory_alloc(size_t bytes)
{
    void *memory = malloc(bytes ? bytes : 1);
    if (memory == NULL) {
        reserve_give_back();
        memory = malloc(bytes ? bytes : 1);
    }
    CHECK(memory != NULL);
    return memory;
}

void *memory_zalloc(size_t bytes)
{
    void *memory = calloc(1, bytes ? bytes : 1);
    if (memory == NULL) {
        reserve_give_back();
        memory = calloc(1, bytes ? bytes : 1);
    }
    CHECK(memory != NULL);
    return memory;
}

void *memory_realloc(void *old, size_t bytes)
{
    void *memory = realloc(old, bytes ? bytes : 1);
    if (memory == NULL) {
        reserve_give_back();
        memory = realloc(old, bytes ? bytes : 1);
    }
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
