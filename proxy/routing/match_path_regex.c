#include "proxy/routing/matcher.h"

static bool compile(struct condition_builder *builder, const struct matcher *matcher,
                    const struct route_spec *spec)
{
    if (spec->regex.length == 0)
        return true;
    builder->fault->part = ROUTE_PART_REGEX;
    builder->fault->item = 0;
    struct condition *condition = condition_add(builder, matcher);
    condition->kind = TEST_REGEX;
    condition->value = arena_copy(builder->arena, spec->regex);
    condition->regex = condition_regex(builder, spec->regex, spec->ignore_case);
    if (condition->regex == NULL)
        return false;
    bool guarded = spec->deny_status != 0 || spec->allow_count > 0;
    if (guarded && !spec->ignore_case)
        condition->caseless = condition_regex(builder, spec->regex, true);
    return !guarded || spec->ignore_case || condition->caseless != NULL;
}

static enum match_result matches(const struct condition *condition,
                                 const struct match_subject *subject)
{
    bool caseless = subject->folded && condition->caseless != NULL;
    return regex_search(caseless ? condition->caseless : condition->regex, subject->path,
                        subject->scratch);
}

const struct matcher match_path_regex = {compile, matches, NULL};
