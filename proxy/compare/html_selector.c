#include "proxy/compare/html_selector.h"

#include "proxy/compare/html_text.h"

static bool ends_part(char c)
{
    return c == '.' || c == '#' || c == '[' || c == ']' || c == '=' || c == ' ' || c == '>';
}

static struct strview take_name(struct strview text, size_t *at)
{
    size_t begin = *at;
    while (*at < text.length && !ends_part(text.data[*at]))
        (*at)++;
    return strview_make(text.data + begin, *at - begin);
}

/* What stands behind '['. */
static bool read_attribute_test(struct strview text, size_t *at, struct html_test *test)
{
    test->attribute = take_name(text, at);
    test->present = true;
    if (*at < text.length && text.data[*at] == '=') {
        (*at)++;
        struct strview rest = strview_from(text, *at);
        test->value = strview_make(rest.data, strview_find(rest, ']'));
        test->present = false;
        *at += test->value.length;
    }
    if (*at >= text.length || text.data[*at] != ']')
        return false;
    (*at)++;
    return test->attribute.length > 0;
}

static bool read_test(struct strview text, size_t *at, struct html_test *test)
{
    char kind = text.data[(*at)++];
    if (kind == '[')
        return read_attribute_test(text, at, test);
    test->attribute = kind == '.' ? STRVIEW("class") : STRVIEW("id");
    test->word = kind == '.';
    test->value = take_name(text, at);
    return (kind == '.' || kind == '#') && test->value.length > 0;
}

bool html_selector_compile(struct strview text, struct html_selector *ret_selector,
                           const char **ret_fault)
{
    struct html_selector selector = {.count = 0};
    size_t at = 0;
    selector.element = take_name(text, &at);
    while (at < text.length) {
        if (selector.count == HTML_SELECTOR_TESTS_MAX) {
            *ret_fault = "more than four tests";
            return false;
        }
        if (!read_test(text, &at, &selector.tests[selector.count++])) {
            *ret_fault = "not like \"element.class#id[name=value]\"";
            return false;
        }
    }
    if (text.length == 0) {
        *ret_fault = "an element, .class, #id or [name=value] is missing";
        return false;
    }
    *ret_selector = selector;
    return true;
}

static bool has_word(struct strview list, struct strview word)
{
    for (size_t i = 0; i < list.length;) {
        size_t begin = i;
        while (i < list.length && !html_is_space(list.data[i]))
            i++;
        if (strview_equal(strview_make(list.data + begin, i - begin), word))
            return true;
        i++;
    }
    return false;
}

static bool test_passes(const struct html_test *test, const struct html_token *token)
{
    const struct html_attribute *attribute = html_token_attribute(token, test->attribute);
    if (attribute == NULL || test->present)
        return attribute != NULL;
    return test->word ? has_word(attribute->value, test->value)
                      : strview_equal(attribute->value, test->value);
}

static bool selector_matches(const struct html_selector *selector, const struct html_token *token)
{
    if (selector->element.length > 0 && !strview_equal(selector->element, token->name))
        return false;
    for (uint32_t i = 0; i < selector->count; i++) {
        if (!test_passes(&selector->tests[i], token))
            return false;
    }
    return true;
}

bool html_selector_list_matches(const struct html_selector_list *list,
                                const struct html_token *token)
{
    for (uint32_t i = 0; i < list->count; i++) {
        if (selector_matches(&list->items[i], token))
            return true;
    }
    return false;
}
