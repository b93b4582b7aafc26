#include "proxy/backend/receive_window.h"

#include "proxy/core/check.h"

void receive_window_init(struct receive_window *window, struct body_budget *budget)
{
    *window = (struct receive_window){.budget = budget, .size = RECEIVE_WINDOW_FIRST_BYTES};
}

void receive_window_done(struct receive_window *window)
{
    window->budget->granted -= window->size - RECEIVE_WINDOW_FIRST_BYTES;
    window->size = RECEIVE_WINDOW_FIRST_BYTES;
}

static uint32_t grown_size(uint32_t size)
{
    uint32_t grown = (size + 1) * 2;
    return grown < RECEIVE_WINDOW_MAX_BYTES ? grown : RECEIVE_WINDOW_MAX_BYTES;
}

bool receive_window_consumed(struct receive_window *window, size_t length)
{
    CHECK(length <= window->held);
    window->held -= (uint32_t)length;
    window->consumed += length;
    if (window->consumed < window->size || window->size >= RECEIVE_WINDOW_MAX_BYTES)
        return false;
    uint32_t more = grown_size(window->size) - window->size;
    window->consumed = 0;
    if (window->budget->granted + more > window->budget->limit)
        return false;
    window->budget->granted += more;
    window->size += more;
    return true;
}
