/* Status and header fields of two answers. */
#include "proxy/compare/compare_body.h"
#include "proxy/compare/normalise.h"

static bool is_listed(const struct strview *names, uint32_t count, struct strview name)
{
    for (uint32_t i = 0; i < count; i++) {
        if (strview_equal(names[i], name))
            return true;
    }
    return false;
}

struct strview answer_field(struct arena *arena, const struct headers *headers, struct strview name)
{
    struct strview value = STRVIEW_NONE;
    for (uint32_t i = 0; i < headers->count; i++) {
        const struct header_field *field = &headers->fields[i];
        if (!strview_equal(field->name, name))
            continue;
        if (value.data == NULL)
            value = field->value;
        else
            value =
                arena_printf(arena, "%.*s, %.*s", STRVIEW_ARGS(value), STRVIEW_ARGS(field->value));
    }
    return value;
}

/* --- the same to the byte ------------------------------------------------------------------- */

/* The next field of the name from *index on, which moves behind it; NULL: there is none. */
static const struct header_field *next_field(const struct headers *headers, struct strview name,
                                             uint32_t *index)
{
    while (*index < headers->count) {
        const struct header_field *field = &headers->fields[(*index)++];
        if (strview_equal(field->name, name))
            return field;
    }
    return NULL;
}

bool answer_field_is_same(const struct headers *first, const struct headers *second,
                          struct strview name)
{
    uint32_t at_first = 0;
    uint32_t at_second = 0;
    while (true) {
        const struct header_field *left = next_field(first, name, &at_first);
        const struct header_field *right = next_field(second, name, &at_second);
        if (left == NULL || right == NULL)
            return left == right;
        if (!strview_equal(left->value, right->value))
            return false;
    }
}

bool answers_have_same_head(const struct compare_rules *rules, const struct compared_answer *first,
                            const struct compared_answer *second)
{
    if (first->status != second->status ||
        !answer_field_is_same(first->headers, second->headers, STRVIEW("content-type")) ||
        !answer_field_is_same(first->headers, second->headers, STRVIEW("content-encoding")))
        return false;
    for (uint32_t i = 0; i < rules->header_count; i++) {
        if (!answer_field_is_same(first->headers, second->headers, rules->headers[i]))
            return false;
    }
    return true;
}

/* --- the same in what it means -------------------------------------------------------------- */

static struct strview lower_without_space(struct arena *arena, struct strview value)
{
    char *out = arena_alloc(arena, value.length);
    size_t used = 0;
    for (size_t i = 0; i < value.length; i++) {
        if (value.data[i] != ' ' && value.data[i] != '\t')
            out[used++] = ascii_lower(value.data[i]);
    }
    return strview_make(out, used);
}

/* What of a value is compared: the case and spaces of a media type mean nothing (RFC 9110 section
 * 8.3.1), a session id in an address is new each time. */
static struct strview comparable_value(struct arena *arena, struct strview name,
                                       struct strview value)
{
    if (strview_equal(name, STRVIEW("content-type")))
        return lower_without_space(arena, value);
    if (strview_equal(name, STRVIEW("location")) ||
        strview_equal(name, STRVIEW("content-location")))
        return normalise_url(arena, value);
    return value;
}

static void compare_field(struct compare_work *work, const struct compared_answer *first,
                          const struct compared_answer *second, struct strview name)
{
    const struct compare_rules *rules = work->rules;
    if (is_listed(rules->ignored_headers, rules->ignored_header_count, name) ||
        !work_spend(work, first->headers->count + second->headers->count))
        return;
    struct strview left = answer_field(work->arena, first->headers, name);
    struct strview right = answer_field(work->arena, second->headers, name);
    if ((left.data == NULL) == (right.data == NULL) &&
        strview_equal(comparable_value(work->arena, name, left),
                      comparable_value(work->arena, name, right)))
        return;
    difference_add(work->differences, DIFFERENCE_HEADER,
                   arena_printf(work->arena, "header:%.*s", STRVIEW_ARGS(name)), left, right);
}

void compare_head(struct compare_work *work, const struct compared_answer *first,
                  const struct compared_answer *second)
{
    const struct compare_rules *rules = work->rules;
    if (rules->status && first->status != second->status) {
        difference_add(work->differences, DIFFERENCE_STATUS, STRVIEW("status"),
                       arena_printf(work->arena, "%d", first->status),
                       arena_printf(work->arena, "%d", second->status));
        return; /* all else is different by design */
    }
    if (!is_listed(rules->headers, rules->header_count, STRVIEW("content-type")))
        compare_field(work, first, second, STRVIEW("content-type"));
    for (uint32_t i = 0; i < rules->header_count; i++)
        compare_field(work, first, second, rules->headers[i]);
}
