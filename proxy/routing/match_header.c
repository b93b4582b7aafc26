#include "proxy/routing/matcher.h"

static bool compile(struct condition_builder *builder, const struct matcher *matcher,
                    const struct route_spec *spec)
{
    return value_tests_compile(builder, matcher, &spec->headers, ROUTE_PART_HEADERS);
}

/* Any field line of that name may satisfy the test. */
static enum match_result matches(const struct condition *condition,
                                 const struct match_subject *subject)
{
    const struct headers *headers = &subject->request->headers;
    enum match_result result = MATCH_NO;
    for (uint32_t i = 0; i < headers->count && result != MATCH_YES; i++) {
        if (!strview_equal(headers->fields[i].name, condition->name))
            continue;
        enum match_result one = value_test(condition, headers->fields[i].value, subject->scratch);
        result = one == MATCH_NO ? result : one;
    }
    return result;
}

const struct matcher match_header = {compile, matches, value_tests_exclude};
