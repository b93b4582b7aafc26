#include "proxy/routing/matcher.h"

static bool compile(struct condition_builder *builder, const struct matcher *matcher,
                    const struct route_spec *spec)
{
    return value_tests_compile(builder, matcher, &spec->query, ROUTE_PART_QUERY);
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    char lower = ascii_lower(c);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* Takes the next byte of form-encoded text: %XX, and '+' for a space. */
static char take_decoded(struct strview *text)
{
    char c = text->data[0];
    size_t used = 1;
    if (c == '+') {
        c = ' ';
    } else if (c == '%' && text->length >= 3) {
        int high = hex_digit(text->data[1]);
        int low = hex_digit(text->data[2]);
        if (high >= 0 && low >= 0) {
            c = (char)(high * 16 + low);
            used = 3;
        }
    }
    *text = strview_from(*text, used);
    return c;
}

static bool decodes_to(struct strview encoded, struct strview plain)
{
    size_t i = 0;
    while (encoded.length > 0 && i < plain.length) {
        if (take_decoded(&encoded) != plain.data[i++])
            return false;
    }
    return encoded.length == 0 && i == plain.length;
}

static enum match_result value_matches(const struct condition *condition, struct strview encoded,
                                       struct match_scratch *scratch)
{
    if (condition->kind != TEST_REGEX)
        return condition->kind == TEST_PRESENT || decodes_to(encoded, condition->value) ? MATCH_YES
                                                                                        : MATCH_NO;
    char decoded[MATCH_VALUE_BYTES_MAX];
    size_t length = 0;
    while (encoded.length > 0) {
        if (length == sizeof(decoded))
            return MATCH_LIMIT;
        decoded[length++] = take_decoded(&encoded);
    }
    return regex_search(condition->regex, strview_make(decoded, length), scratch);
}

/* Any parameter of that name may satisfy the test. */
static enum match_result matches(const struct condition *condition,
                                 const struct match_subject *subject)
{
    struct strview rest = subject->request->query;
    enum match_result result = MATCH_NO;
    while (rest.length > 0 && result != MATCH_YES) {
        rest = strview_from(rest, 1); /* '?' or '&' */
        size_t end = strview_find(rest, '&');
        struct strview pair = strview_make(rest.data, end);
        rest = strview_from(rest, end);
        size_t equals = strview_find(pair, '=');
        if (!decodes_to(strview_make(pair.data, equals), condition->name))
            continue;
        struct strview value = strview_from(pair, equals < pair.length ? equals + 1 : equals);
        enum match_result one = value_matches(condition, value, subject->scratch);
        result = one == MATCH_NO ? result : one;
    }
    return result;
}

const struct matcher match_query = {compile, matches, value_tests_exclude};
