#include "proxy/routing/matcher.h"

static bool compile(struct condition_builder *builder, const struct matcher *matcher,
                    const struct route_spec *spec)
{
    if (spec->methods != 0)
        condition_add(builder, matcher)->methods = spec->methods;
    return true;
}

static enum match_result matches(const struct condition *condition,
                                 const struct match_subject *subject)
{
    uint32_t method = 1u << subject->request->method;
    /* An extended CONNECT stands for the GET of an HTTP/1.1 upgrade (RFC 8441 section 5). */
    if (subject->request->method == METHOD_CONNECT)
        method |= 1u << METHOD_GET;
    return (condition->methods & method) != 0 ? MATCH_YES : MATCH_NO;
}

static bool excludes(const struct condition *a, const struct condition *b)
{
    return (a->methods & b->methods) == 0;
}

const struct matcher match_method = {compile, matches, excludes};
