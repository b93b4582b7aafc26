#include "proxy/shadow/capture.h"

#include <stdlib.h>

#include "proxy/core/array.h"

/* Up to the first a body lies in the arena, among what a shadow has paid for with itself. */
enum { ARENA_BYTES = 1024, FIRST_HEAP_BYTES = 4096 };

void capture_init(struct capture *capture, struct shadow_memory *memory,
                  const struct capture *model, size_t bytes_max)
{
    *capture = (struct capture){.memory = memory, .model = model, .bytes_max = bytes_max};
}

void capture_done(struct capture *capture)
{
    if (capture->has_heap) {
        shadow_budget_give_back(capture->memory->budget, capture->capacity);
        free(capture->bytes);
    }
    capture->has_heap = false;
    capture->bytes = NULL;
    capture->capacity = 0;
    capture->length = 0;
}

static void take_head(struct capture *capture, const struct response_head *head)
{
    capture->status = head->status;
    bool too_long = head->has_body && head->content_length > 0 &&
                    (uint64_t)head->content_length > capture->bytes_max;
    if (too_long || !shadow_memory_charge(capture->memory))
        capture->cut_off = true;
}

void capture_head(struct capture *capture, const struct response_head *head)
{
    headers_copy(&head->headers, 0, &capture->memory->arena, &capture->headers);
    take_head(capture, head);
}

void capture_head_take(struct capture *capture, const struct response_head *head)
{
    capture->headers = head->headers;
    take_head(capture, head);
}

struct strview capture_view(const struct capture *capture)
{
    if (capture->bytes == NULL && capture->length > 0)
        return strview_make(capture->model->bytes, capture->length);
    return strview_make(capture->bytes, capture->length);
}

/* All that has come is in the model, too, and has it in its own memory. */
static bool is_in_model(const struct capture *capture, const char *data, size_t length)
{
    const struct capture *model = capture->model;
    return capture->bytes == NULL && model != NULL && model->bytes != NULL &&
           model->length >= capture->length && length <= model->length - capture->length &&
           memcmp(model->bytes + capture->length, data, length) == 0;
}

/* Pays for a larger room on the heap; false when there is none. */
static bool grow_heap(struct capture *capture, size_t wanted)
{
    size_t paid = capture->has_heap ? capture->capacity : 0;
    size_t capacity = paid > 0 ? paid : FIRST_HEAP_BYTES;
    while (capacity < wanted)
        capacity *= 2;
    if (capacity > capture->bytes_max)
        capacity = capture->bytes_max;
    if (!shadow_budget_take(capture->memory->budget, capacity - paid))
        return false;
    struct strview had = capture_view(capture);
    char *bytes = memory_realloc(capture->has_heap ? capture->bytes : NULL, capacity);
    if (!capture->has_heap && had.length > 0)
        memcpy(bytes, had.data, had.length);
    capture->bytes = bytes;
    capture->capacity = capacity;
    capture->has_heap = true;
    return true;
}

/* Room of its own for `length` bytes more, within what may be kept; what it had of the model's is
 * copied there. */
static bool reserve(struct capture *capture, size_t length)
{
    if (length > capture->bytes_max - capture->length)
        return false;
    size_t wanted = capture->length + length;
    if (wanted <= capture->capacity)
        return true;
    if (capture->bytes != NULL || wanted > ARENA_BYTES)
        return grow_heap(capture, wanted);
    struct strview had = capture_view(capture);
    capture->bytes = arena_alloc(&capture->memory->arena, wanted);
    capture->capacity = wanted;
    if (had.length > 0)
        memcpy(capture->bytes, had.data, had.length);
    return true;
}

void capture_body(struct capture *capture, const char *data, size_t length)
{
    if (capture->cut_off || length == 0)
        return;
    if (!is_in_model(capture, data, length)) {
        if (!reserve(capture, length)) {
            capture->cut_off = true;
            return;
        }
        memcpy(capture->bytes + capture->length, data, length);
    }
    capture->length += length;
}

bool capture_bodies_are_same(const struct capture *first, const struct capture *second)
{
    if (!first->whole || !second->whole || first->cut_off || second->cut_off ||
        first->length != second->length)
        return false;
    struct strview bytes = capture_view(first);
    struct strview others = capture_view(second);
    return bytes.data == others.data || strview_equal(bytes, others);
}
