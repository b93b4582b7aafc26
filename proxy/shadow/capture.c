#include "proxy/shadow/capture.h"

#include <stdlib.h>

#include "proxy/core/array.h"

enum { FIRST_BYTES = 4096 };

void capture_init(struct capture *capture, struct shadow_memory *memory, size_t bytes_max)
{
    *capture = (struct capture){.memory = memory, .bytes_max = bytes_max};
    headers_init(&capture->headers);
}

void capture_done(struct capture *capture)
{
    shadow_budget_give_back(capture->memory->budget, capture->capacity);
    free(capture->bytes);
    capture->bytes = NULL;
    capture->capacity = 0;
    capture->length = 0;
}

void capture_head(struct capture *capture, const struct response_head *head)
{
    struct arena *arena = &capture->memory->arena;
    capture->status = head->status;
    for (uint32_t i = 0; i < head->headers.count; i++) {
        const struct header_field *field = &head->headers.fields[i];
        headers_add(&capture->headers, arena, field->token, arena_copy(arena, field->name),
                    arena_copy(arena, field->value));
    }
    bool too_long = head->has_body && head->content_length > 0 &&
                    (uint64_t)head->content_length > capture->bytes_max;
    if (too_long || !shadow_memory_charge(capture->memory))
        capture->cut_off = true;
}

/* Room for `length` bytes more, within what may be kept. */
static bool reserve(struct capture *capture, size_t length)
{
    if (length > capture->bytes_max - capture->length)
        return false;
    size_t wanted = capture->length + length;
    size_t capacity = capture->capacity > 0 ? capture->capacity : FIRST_BYTES;
    while (capacity < wanted)
        capacity *= 2;
    if (capacity > capture->bytes_max)
        capacity = capture->bytes_max;
    if (capacity <= capture->capacity)
        return true;
    if (!shadow_budget_take(capture->memory->budget, capacity - capture->capacity))
        return false;
    capture->bytes = memory_realloc(capture->bytes, capacity);
    capture->capacity = capacity;
    return true;
}

void capture_body(struct capture *capture, const char *data, size_t length)
{
    if (capture->cut_off)
        return;
    if (!reserve(capture, length)) {
        capture->cut_off = true;
        return;
    }
    if (length > 0)
        memcpy(capture->bytes + capture->length, data, length);
    capture->length += length;
}
