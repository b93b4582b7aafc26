/* What is neither JSON nor HTML: equal to the byte, or not. */
#include "proxy/compare/compare_body.h"

enum { SHOWN_BEFORE = 20, SHOWN_BYTES = 80 };

static bool is_text(struct strview bytes)
{
    for (size_t i = 0; i < bytes.length; i++) {
        unsigned char c = (unsigned char)bytes.data[i];
        if (c < 0x20 && c != '\t' && c != '\n' && c != '\r')
            return false;
    }
    return true;
}

/* The surroundings of the first byte that differs; what is no text is not shown. */
static struct strview shown(struct strview body, size_t at)
{
    size_t begin = at > SHOWN_BEFORE ? at - SHOWN_BEFORE : 0;
    struct strview piece = strview_from(body, begin < body.length ? begin : body.length);
    if (piece.length > SHOWN_BYTES)
        piece.length = SHOWN_BYTES;
    return is_text(piece) ? piece : STRVIEW("(no text)");
}

void compare_bytes(struct compare_work *work, struct strview first, struct strview second)
{
    size_t common = first.length < second.length ? first.length : second.length;
    size_t at = 0;
    if (!work_spend(work, common / 64 + 1))
        return;
    while (at < common && first.data[at] == second.data[at])
        at++;
    if (at < common) {
        difference_add(work->differences, DIFFERENCE_VALUE, STRVIEW("body"), shown(first, at),
                       shown(second, at));
    } else if (first.length != second.length) {
        difference_add(work->differences, DIFFERENCE_LENGTH, STRVIEW("body"),
                       arena_printf(work->arena, "%zu bytes", first.length),
                       arena_printf(work->arena, "%zu bytes", second.length));
    }
}
