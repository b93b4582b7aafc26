#include "tests/support/failing_memory.h"

#include <stddef.h>
#include <stdlib.h>

/* What a sanitizer has put in front of the C library's, if there is one. */
void *__interceptor_malloc(size_t bytes) __attribute__((weak));
void *__interceptor_calloc(size_t count, size_t bytes) __attribute__((weak));
void *__interceptor_realloc(void *old, size_t bytes) __attribute__((weak));
void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t count, size_t bytes);
void *__libc_realloc(void *old, size_t bytes);

static _Thread_local unsigned left; /* 0: none fails */

static bool fails(void)
{
    return left > 0 && --left == 0;
}

void failing_memory_begin(unsigned number)
{
    left = number;
}

bool failing_memory_end(void)
{
    bool failed = left == 0;
    left = 0;
    return failed;
}

void *malloc(size_t bytes)
{
    if (fails())
        return NULL;
    return __interceptor_malloc != NULL ? __interceptor_malloc(bytes) : __libc_malloc(bytes);
}

void *calloc(size_t count, size_t bytes)
{
    if (fails())
        return NULL;
    return __interceptor_calloc != NULL ? __interceptor_calloc(count, bytes)
                                        : __libc_calloc(count, bytes);
}

void *realloc(void *old, size_t bytes)
{
    if (fails())
        return NULL;
    return __interceptor_realloc != NULL ? __interceptor_realloc(old, bytes)
                                         : __libc_realloc(old, bytes);
}
