/* Content codings. The first byte chooses one, or two on top of each other. */
#include "tests/fuzz/fuzz.h"

#include "proxy/compare/decode.h"
#include "proxy/core/check.h"

enum { DECODED_BYTES_MAX = 64 * 1024 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct strview codings[] = {STRVIEW("gzip"),    STRVIEW("deflate"),
                                             STRVIEW("br"),      STRVIEW("identity"),
                                             STRVIEW("gzip,br"), STRVIEW("br, deflate")};
    if (size == 0)
        return 0;
    struct arena arena;
    struct strview body = STRVIEW("unset");
    arena_init(&arena, NULL);
    struct strview coded = strview_make((const char *)data + 1, size - 1);
    const char *fault = decode_body(&arena, codings[data[0] % 6], coded, DECODED_BYTES_MAX, &body);
    CHECK(fault != NULL || body.length <= DECODED_BYTES_MAX);
    arena_done(&arena);
    return 0;
}
