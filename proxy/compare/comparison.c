#include "proxy/compare/comparison.h"

#include "proxy/compare/compare_body.h"
#include "proxy/compare/decode.h"

enum body_kind { BODY_JSON, BODY_HTML, BODY_OTHER };

static bool ends_with_ignore_case(struct strview text, struct strview end)
{
    return text.length >= end.length &&
           strview_equal_ignore_case(strview_from(text, text.length - end.length), end);
}

static enum body_kind kind_of(const struct compared_answer *answer)
{
    const struct header_field *field = headers_find(answer->headers, HEADER_CONTENT_TYPE);
    struct strview type = field != NULL ? field->value : STRVIEW_NONE;
    type = strview_trim(strview_make(type.data, strview_find(type, ';')));
    if (strview_equal_ignore_case(type, STRVIEW("application/json")) ||
        ends_with_ignore_case(type, STRVIEW("+json")))
        return BODY_JSON;
    if (strview_equal_ignore_case(type, STRVIEW("text/html")) ||
        strview_equal_ignore_case(type, STRVIEW("application/xhtml+xml")))
        return BODY_HTML;
    return BODY_OTHER;
}

/* The same bytes under the same coding say the same, even where nobody can read them. */
static bool bodies_are_identical(const struct compared_answer *first,
                                 const struct compared_answer *second)
{
    return first->complete && second->complete && strview_equal(first->body, second->body) &&
           answer_field_is_same(first->headers, second->headers, STRVIEW("content-encoding"));
}

static void compare_bodies(struct compare_work *work, const struct compared_answer *first,
                           const struct compared_answer *second)
{
    struct strview bodies[2];
    const struct compared_answer *answers[2] = {first, second};
    if (bodies_are_identical(first, second))
        return;
    for (size_t i = 0; i < 2 && work->why == NULL; i++) {
        if (!answers[i]->complete)
            work->why = "longer than what is kept";
        else
            work->why = decode_body(
                work->arena,
                answer_field(work->arena, answers[i]->headers, STRVIEW("content-encoding")),
                answers[i]->body, COMPARE_DECODED_BYTES_MAX, &bodies[i]);
    }
    if (work->why != NULL)
        return;
    if (strview_equal(bodies[0], bodies[1]))
        return;
    enum body_kind kind = kind_of(first);
    bool empty = bodies[0].length == 0 || bodies[1].length == 0;
    if (kind == BODY_JSON && kind_of(second) == kind && !empty)
        compare_json(work, bodies[0], bodies[1]);
    else if (kind == BODY_HTML && kind_of(second) == kind && !empty)
        compare_html(work, bodies[0], bodies[1]);
    else
        compare_bytes(work, bodies[0], bodies[1]);
}

void comparison_run(const struct compare_rules *rules, const struct compared_answer *first,
                    const struct compared_answer *second, struct arena *arena,
                    struct comparison *ret_comparison)
{
    struct comparison *comparison = ret_comparison;
    struct arena scratch;
    arena_init(&scratch, NULL);
    difference_list_init(&comparison->differences, arena);
    if (answers_have_same_head(rules, first, second) && bodies_are_identical(first, second)) {
        comparison->end = COMPARISON_EQUAL;
        comparison->why = NULL;
        return;
    }
    struct compare_work work = {.rules = rules,
                                .arena = &scratch,
                                .differences = &comparison->differences,
                                .left = COMPARE_WORK_MAX};
    compare_head(&work, first, second);
    /* Where the status differs the bodies are different by design. */
    if (first->status == second->status || !rules->status)
        compare_bodies(&work, first, second);
    arena_done(&scratch);
    comparison->why = work.why;
    if (work.why != NULL)
        comparison->end = COMPARISON_NOT_COMPARABLE;
    else
        comparison->end =
            comparison->differences.count > 0 ? COMPARISON_DIFFERENT : COMPARISON_EQUAL;
}
