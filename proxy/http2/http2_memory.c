#include "proxy/http2/http2_memory.h"

#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

enum { FRAME_BYTES = 16 * 1024 };

/* The whole pages within become zeros that take no room until they are written to: whoever had that
 * memory before may have written to all of it. */
static void *alloc_untouched(struct block_pool *blocks, size_t bytes)
{
    char *data = block_alloc(blocks, bytes);
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
        return block_alloc(memory->blocks, bytes);
    memory->has_frames = true;
    return alloc_untouched(memory->blocks, bytes);
}

static void give_back(void *data, void *user_data)
{
    struct http2_memory *memory = user_data;
    block_free(memory->blocks, data);
}

static void *take_zeros(size_t count, size_t bytes, void *user_data)
{
    struct http2_memory *memory = user_data;
    return bytes == 0 || count <= SIZE_MAX / bytes ? block_zalloc(memory->blocks, count * bytes)
                                                   : NULL;
}

/* nghttp2 takes its buffers so, without an old one. */
static void *take_more(void *data, size_t bytes, void *user_data)
{
    struct http2_memory *memory = user_data;
    return data == NULL ? take(bytes, user_data) : block_realloc(memory->blocks, data, bytes);
}

nghttp2_mem http2_memory_init(struct http2_memory *memory, struct block_pool *blocks)
{
    *memory = (struct http2_memory){.blocks = blocks};
    return (nghttp2_mem){
        .mem_user_data = memory,
        .malloc = take,
        .free = give_back,
        .calloc = take_zeros,
        .realloc = take_more,
    };
}
