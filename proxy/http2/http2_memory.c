#include "proxy/http2/http2_memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { FRAME_BYTES = 16 * 1024 };

/* The whole pages within become zeros that take no room until they are written to: whoever had that
 * memory before may have written to all of it. */
static void *alloc_untouched(size_t bytes)
{
    char *data = malloc(bytes);
    if (data == NULL)
        return NULL;
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t begin = ((uintptr_t)data + page - 1) / page * page;
    uintptr_t end = ((uintptr_t)data + bytes) / page * page;
    if (begin < end)
        madvise(data + (begin - (uintptr_t)data), end - begin, MADV_DONTNEED); /* or costs more */
    return data;
}

static void *take(size_t bytes, void *user_data)
{
    struct http2_memory *memory = user_data;
    if (bytes < FRAME_BYTES || memory->has_frames)
        return malloc(bytes);
    memory->has_frames = true;
    return alloc_untouched(bytes);
}

static void give_back(void *data, void *user_data)
{
    (void)user_data;
    free(data);
}

static void *take_zeros(size_t count, size_t bytes, void *user_data)
{
    (void)user_data;
    return calloc(count, bytes);
}

/* nghttp2 takes its buffers so, without an old one. */
static void *take_more(void *data, size_t bytes, void *user_data)
{
    return data == NULL ? take(bytes, user_data) : realloc(data, bytes);
}

nghttp2_mem http2_memory_init(struct http2_memory *memory)
{
    *memory = (struct http2_memory){.has_frames = false};
    return (nghttp2_mem){
        .mem_user_data = memory,
        .malloc = take,
        .free = give_back,
        .calloc = take_zeros,
        .realloc = take_more,
    };
}
