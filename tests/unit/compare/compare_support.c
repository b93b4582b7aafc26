#include "tests/unit/compare/compare_support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

static struct arena arena;
static bool arena_is_open;

static struct arena *memory(void)
{
    if (!arena_is_open)
        arena_init(&arena, NULL);
    arena_is_open = true;
    return &arena;
}

void compare_support_done(void)
{
    if (arena_is_open)
        arena_done(&arena);
    arena_is_open = false;
}

struct compared_answer answer_of(int status, const char *type, struct strview body)
{
    struct headers *headers = arena_alloc(memory(), sizeof(*headers));
    headers_init(headers);
    struct compared_answer answer = {status, headers, body, true};
    if (type != NULL)
        answer_add(&answer, "content-type", type);
    return answer;
}

void answer_add(struct compared_answer *answer, const char *name, const char *value)
{
    struct headers *headers = (struct headers *)(uintptr_t)answer->headers;
    headers_add(headers, memory(), header_token_of(strview_of(name)), strview_of(name),
                strview_of(value));
}

static struct path_pattern_list patterns_of(const char *const *texts)
{
    struct path_pattern *items = arena_alloc(memory(), PATH_PATTERNS_MAX * sizeof(*items));
    uint32_t count = 0;
    const char *fault;
    size_t offset;
    for (; texts != NULL && texts[count] != NULL; count++)
        assert_true(path_pattern_compile(strview_of(texts[count]), &items[count], &fault, &offset));
    return (struct path_pattern_list){items, count};
}

struct compare_rules rules_with(const char *const *ignore, const char *const *unordered)
{
    return (struct compare_rules){
        .status = true, .ignore = patterns_of(ignore), .unordered = patterns_of(unordered)};
}

const char *compared_answers(const struct compare_rules *rules, const struct compared_answer *first,
                             const struct compared_answer *second)
{
    static char line[8192];
    struct comparison *comparison = arena_alloc(memory(), sizeof(*comparison));
    comparison_run(rules, first, second, memory(), comparison);
    if (comparison->end == COMPARISON_EQUAL)
        return "equal";
    if (comparison->end == COMPARISON_NOT_COMPARABLE) {
        snprintf(line, sizeof(line), "not comparable: %s", comparison->why);
        return line;
    }
    size_t used = 0;
    for (uint32_t i = 0; i < comparison->differences.count && used < sizeof(line); i++) {
        const struct difference *difference = &comparison->differences.items[i];
        used += (size_t)snprintf(line + used, sizeof(line) - used, "%s%.*s %.*s", i > 0 ? "; " : "",
                                 STRVIEW_ARGS(difference_kind_name(difference->kind)),
                                 STRVIEW_ARGS(difference->field));
    }
    return line;
}

const char *compared(const struct compare_rules *rules, const char *type, const char *first,
                     const char *second)
{
    struct compared_answer answers[] = {answer_of(200, type, strview_of(first)),
                                        answer_of(200, type, strview_of(second))};
    return compared_answers(rules, &answers[0], &answers[1]);
}
