/*
 * Comparing. The first byte says what the two texts are (JSON, HTML, patterns); a line with "=="
 * alone stands between them.
 */
#include "tests/fuzz/fuzz.h"

#include "proxy/compare/comparison.h"
#include "proxy/compare/json_tree.h"
#include "proxy/core/check.h"

static struct headers typed(struct arena *arena, struct strview type)
{
    struct headers headers;
    headers_init(&headers);
    headers_add(&headers, arena, HEADER_CONTENT_TYPE, STRVIEW("content-type"), type);
    return headers;
}

static void compare(struct arena *arena, const struct compare_rules *rules, struct strview type,
                    const struct strview texts[2])
{
    struct comparison comparisons[3];
    struct headers headers = typed(arena, type);
    struct compared_answer answers[2] = {{200, &headers, texts[0], true},
                                         {200, &headers, texts[1], true}};
    comparison_run(rules, &answers[0], &answers[1], arena, &comparisons[0]);
    comparison_run(rules, &answers[1], &answers[0], arena, &comparisons[1]);
    comparison_run(rules, &answers[0], &answers[0], arena, &comparisons[2]);
    /* Equal is equal from both ends, and everything equals itself. */
    if (comparisons[0].end != COMPARISON_NOT_COMPARABLE &&
        comparisons[1].end != COMPARISON_NOT_COMPARABLE)
        CHECK(comparisons[0].end == comparisons[1].end);
    CHECK(comparisons[2].end != COMPARISON_DIFFERENT);
    for (uint32_t i = 0; i < comparisons[0].differences.count; i++) {
        const struct difference *difference = &comparisons[0].differences.items[i];
        CHECK(difference->field.length > 0 && difference->field.length <= FIELD_PATH_BYTES);
        CHECK(difference->first.length <= DIFFERENCE_EXCERPT_BYTES);
    }
}

static void compile(struct strview text)
{
    struct path_pattern pattern;
    struct html_selector selector;
    const char *fault = NULL;
    size_t offset = 0;
    if (!path_pattern_compile(text, &pattern, &fault, &offset))
        CHECK(fault != NULL && offset <= text.length);
    fault = NULL;
    if (!html_selector_compile(text, &selector, &fault))
        CHECK(fault != NULL);
}

static void split(struct strview text, struct strview ret_texts[2])
{
    static const struct strview separator = STRVIEW("\n==\n");
    ret_texts[0] = text;
    ret_texts[1] = STRVIEW("");
    for (size_t i = 0; i + separator.length <= text.length; i++) {
        if (strview_starts_with(strview_from(text, i), separator)) {
            ret_texts[0] = strview_make(text.data, i);
            ret_texts[1] = strview_from(text, i + separator.length);
            return;
        }
    }
}

static struct path_pattern pattern_of(const char *text)
{
    struct path_pattern pattern = {.count = 0};
    const char *fault;
    size_t offset;
    CHECK(path_pattern_compile(strview_of(text), &pattern, &fault, &offset));
    return pattern;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct arena arena;
    struct strview texts[2];
    const struct path_pattern ignore[] = {pattern_of("$..a"), pattern_of("$.b[1]")};
    const struct path_pattern unordered[] = {pattern_of("$.c"), pattern_of("$..d[*]")};
    struct compare_rules rules = {.status = true};
    arena_init(&arena, NULL);
    if ((data[0] & 4) != 0) {
        rules.ignore = (struct path_pattern_list){ignore, 2};
        rules.unordered = (struct path_pattern_list){unordered, 2};
    }
    struct strview rest = strview_make((const char *)data + 1, size - 1);
    split(rest, texts);
    if ((data[0] & 3) == 0)
        compile(rest);
    else
        compare(&arena, &rules,
                (data[0] & 1) != 0 ? STRVIEW("application/json") : STRVIEW("text/html"), texts);
    arena_done(&arena);
    return 0;
}
