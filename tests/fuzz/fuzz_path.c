/* Request targets: the canonical and the folded forms keep what they promise. */
#include "tests/fuzz/fuzz.h"

#include "proxy/core/check.h"
#include "proxy/http/path.h"

static bool byte_is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool has_dot_segment(struct strview path)
{
    size_t start = 0;
    for (size_t i = 0; i <= path.length; i++) {
        if (i < path.length && path.data[i] != '/')
            continue;
        struct strview segment = strview_make(path.data + start, i - start);
        if (strview_equal(segment, STRVIEW(".")) || strview_equal(segment, STRVIEW("..")))
            return true;
        start = i + 1;
    }
    return false;
}

static void check_canonical(struct arena *arena, struct strview target, struct strview path,
                            struct strview query)
{
    struct strview again;
    struct strview no_query;
    CHECK(path.length > 0 && path.data[0] == '/' &&
          path.length + query.length <= 3 * target.length);
    CHECK(!has_dot_segment(path));
    for (size_t i = 0; i < path.length; i++)
        CHECK(path.data[i] > ' ' && path.data[i] < 0x7f && strchr("?#\\", path.data[i]) == NULL);
    CHECK(path_canonical(arena, path, &again, &no_query) == PATH_CANONICAL);
    CHECK(strview_equal(again, path) && again.data == path.data && no_query.length == 0);
}

/* `resolved`: dot segments are gone too. */
static void check_folded(struct strview folded, bool resolved)
{
    CHECK(folded.length > 0 && folded.data[0] == '/');
    CHECK(!resolved || !has_dot_segment(folded));
    for (size_t i = 0; i < folded.length; i++) {
        char c = folded.data[i];
        CHECK(c == ascii_lower(c) && c != '\\' && c != ';' && c != '\0' && c != '?' && c != '#');
        CHECK(c != '/' || i == 0 || folded.data[i - 1] != '/');
        CHECK(c != '%' || i + 2 >= folded.length || !byte_is_hex(folded.data[i + 1]) ||
              !byte_is_hex(folded.data[i + 2]));
    }
}

static void check_folding(struct arena *arena, struct strview path)
{
    struct strview folded = path_folded(arena, path);
    struct strview literal = path_folded_literal(arena, path);
    check_folded(folded, true);
    check_folded(literal, false);
    CHECK(strview_equal(path_folded(arena, folded), folded));
    CHECK(strview_equal(path_folded_literal(arena, literal), literal));
    CHECK(strview_equal(path_folded(arena, literal), folded));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    arena_init(&arena, NULL);
    struct strview target = strview_make((const char *)data, size);
    struct strview path = STRVIEW_NONE;
    struct strview query = STRVIEW_NONE;
    enum path_kind kind = path_canonical(&arena, target, &path, &query);
    if (kind != PATH_INVALID)
        CHECK(query.length == 0 || query.data[0] == '?');
    for (size_t i = 0; kind == PATH_CANONICAL && i < query.length; i++)
        CHECK(query.data[i] > ' ' && query.data[i] < 0x7f && query.data[i] != '#');
    if (kind == PATH_CANONICAL)
        check_canonical(&arena, target, path, query);
    if (kind == PATH_AMBIGUOUS)
        CHECK(path.data == target.data && path.length + query.length == target.length);
    if (size > 0)
        check_folding(&arena, target);
    arena_done(&arena);
    return 0;
}
