#include "proxy/routing/route_cover.h"

/* Does every request that satisfies `given` satisfy `wanted`, too? */
static bool condition_implies(const struct condition *given, const struct condition *wanted)
{
    if (given->matcher != wanted->matcher)
        return false;
    if (given->matcher == &match_method)
        return (given->methods & ~wanted->methods) == 0;
    if (wanted->kind == TEST_PRESENT)
        return strview_equal(given->name, wanted->name);
    return condition_compare(given, wanted) == 0;
}

static bool is_implied(const struct condition *wanted, const struct rule *other)
{
    for (uint32_t i = 0; i < other->condition_count; i++) {
        if (condition_implies(&other->conditions[i], wanted))
            return true;
    }
    return false;
}

static bool conditions_cover(const struct rule *rule, const struct rule *other)
{
    for (uint32_t i = 0; i < rule->condition_count; i++) {
        if (!is_implied(&rule->conditions[i], other))
            return false;
    }
    return true;
}

/* --- paths ----------------------------------------------------------------------------------- */

static struct strview path_regex_of(const struct rule *rule)
{
    for (uint32_t i = 0; i < rule->condition_count; i++) {
        if (rule->conditions[i].matcher == &match_path_regex)
            return rule->conditions[i].value;
    }
    return STRVIEW_NONE;
}

static bool byte_is_literal(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '/' ||
           c == '-' || c == '_' || c == '~' || c == '%';
}

/*
 * What every path that the expression finds begins with: the plain characters behind its '^'. The
 * last of them may belong to what comes next ("/us?"), so it is left out unless nothing comes.
 */
static struct strview literal_start(struct strview regex)
{
    size_t length = 0;
    if (regex.length == 0 || regex.data[0] != '^' || strview_find(regex, '|') < regex.length)
        return STRVIEW_NONE;
    regex = strview_from(regex, 1);
    while (length < regex.length && byte_is_literal(regex.data[length]))
        length++;
    bool stands_alone = length == regex.length || strchr("([$.\\", regex.data[length]) != NULL;
    return strview_make(regex.data, stands_alone || length == 0 ? length : length - 1);
}

/* Whether all paths that begin with `start` lie at `prefix` or below it. */
static bool prefix_takes_start(struct strview prefix, struct strview start)
{
    bool ends_in_slash = prefix.data[prefix.length - 1] == '/';
    return strview_starts_with(start, prefix) &&
           (ends_in_slash || (start.length > prefix.length && start.data[prefix.length] == '/'));
}

/* For a rule that goes first. */
static bool path_covers(const struct rule *rule, const struct rule *other)
{
    if (rule->path_match == PATH_MATCH_PREFIX && rule->path.length == 1) /* "/" */
        return true;
    if (!rule->ignore_case && other->ignore_case)
        return false;
    if (rule->path_match == PATH_MATCH_PREFIX && other->path_match == PATH_MATCH_ANY)
        return prefix_takes_start(rule->path, literal_start(path_regex_of(other)));
    if (rule->path_match != other->path_match)
        return false;
    return rule->ignore_case ? strview_equal_ignore_case(rule->path, other->path)
                             : strview_equal(rule->path, other->path);
}

bool rule_covers(const struct rule *rule, const struct rule *other)
{
    return strview_equal(rule->host, other->host) && rule_precedes(rule, other) &&
           path_covers(rule, other) && conditions_cover(rule, other);
}
