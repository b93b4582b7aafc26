#include "proxy/routing/matcher.h"

static bool compile(struct condition_builder *builder, const struct matcher *matcher,
                    const struct route_spec *spec)
{
    return value_tests_compile(builder, matcher, &spec->cookies, ROUTE_PART_COOKIES);
}

static enum match_result matches(const struct condition *condition,
                                 const struct match_subject *subject)
{
    struct strview value;
    if (!headers_find_cookie(&subject->request->headers, condition->name, &value))
        return MATCH_NO;
    return value_test(condition, value, subject->scratch);
}

const struct matcher match_cookie = {compile, matches, value_tests_exclude};
