#include "proxy/config/settings_read.h"

#include "proxy/http/forwarding.h"

static struct strview lower_copy(struct reader *reader, struct strview text)
{
    char *lower = arena_alloc(&reader->settings->arena, text.length + 1);
    for (size_t i = 0; i < text.length; i++)
        lower[i] = ascii_lower(text.data[i]);
    lower[text.length] = '\0';
    return strview_make(lower, text.length);
}

static bool is_host_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
}

/* A name, "*." and a name, or an IPv6 address in brackets; lower case. */
static bool host_is_valid(struct strview host)
{
    if (strview_starts_with(host, STRVIEW("*.")))
        host = strview_from(host, 2);
    if (host.length > 2 && host.data[0] == '[' && host.data[host.length - 1] == ']') {
        struct ip_address ip;
        return ip_parse(strview_make(host.data + 1, host.length - 2), &ip);
    }
    for (size_t i = 0; i < host.length; i++) {
        if (!is_host_byte(host.data[i]))
            return false;
    }
    return host.length > 0 && host.data[0] != '.' && host.data[host.length - 1] != '.';
}

void read_host(struct reader *reader, const struct cursor *cursor, const struct key_row *row,
               void *target)
{
    struct text_setting *setting = target;
    if (!read_expect(reader, cursor, row, KIND_BIT(SOURCE_TEXT)))
        return;
    struct strview host = lower_copy(reader, read_text_of(reader, cursor));
    if (host_is_valid(host))
        setting->text = host;
    else
        read_fault(reader, cursor, "bad-host", row,
                   "a host is a name without port, or \"*.\" and a name");
}

/* Routing sees canonical paths only, so any other form would never match. */
static const char *url_path_problem(struct arena *arena, struct strview text,
                                    struct strview *ret_canonical)
{
    struct strview query;
    if (text.length == 0 || text.data[0] != '/')
        return "a path begins with `/`";
    if (strview_find(text, '?') < text.length)
        return "a path has no `?`: the query has its own key";
    switch (path_canonical(arena, text, ret_canonical, &query)) {
    case PATH_CANONICAL:
        return strview_equal(text, *ret_canonical)
                   ? NULL
                   : "this is not the canonical form of a path, so no request would match";
    case PATH_AMBIGUOUS:
        *ret_canonical = STRVIEW_NONE;
        return "encoded separators are ambiguous, so no request with them is routed";
    case PATH_INVALID:
    case PATH_ASTERISK:
        break;
    }
    *ret_canonical = STRVIEW_NONE;
    return "this is no path: blanks, control characters and `#` are percent-encoded in paths";
}

void read_url_path(struct reader *reader, const struct cursor *cursor, const struct key_row *row,
                   void *target)
{
    struct text_setting *setting = target;
    if (!read_expect(reader, cursor, row, KIND_BIT(SOURCE_TEXT)))
        return;
    struct strview text = read_text_of(reader, cursor);
    struct strview canonical = STRVIEW_NONE;
    const char *problem = url_path_problem(&reader->settings->arena, text, &canonical);
    if (problem == NULL) {
        setting->text = text;
        return;
    }
    read_fault(reader, cursor, "bad-path", row, problem);
    if (canonical.length > 0)
        config_report_hint(reader->report, "write %s = \"%.*s\";", row->name,
                           STRVIEW_ARGS(canonical));
}

static void fault_method(struct reader *reader, const struct source_node *node,
                         struct strview method)
{
    source_error(reader->report, "unknown-method", source_value_span(node),
                 "`%.*s` is no method that the proxy passes", STRVIEW_ARGS(method));
    struct suggestion suggestion = suggestion_begin(method);
    for (unsigned i = 0; i < METHOD_OTHER; i++)
        suggestion_offer(&suggestion, http_method_name((enum http_method)i));
    if (suggestion.best.length > 0)
        config_report_hint(reader->report, "did you mean `%.*s`?", STRVIEW_ARGS(suggestion.best));
}

void read_methods(struct reader *reader, const struct cursor *cursor, const struct key_row *row,
                  void *target)
{
    struct number_setting *setting = target;
    if (!read_expect(reader, cursor, row, KINDS_MANY))
        return;
    if (cursor->node->child_count == 0) {
        read_fault(reader, cursor, "empty-list", row, "without a method the route takes nothing");
        return;
    }
    unsigned index = 0;
    for (const struct source_node *node = cursor->node->first_child; node; node = node->next) {
        struct cursor child = cursor_child(cursor, index++, node);
        if (!read_expect(reader, &child, row, KIND_BIT(SOURCE_TEXT)))
            continue;
        struct strview text = read_text_of(reader, &child);
        enum http_method method = http_method_parse(text);
        if (method == METHOD_OTHER)
            fault_method(reader, node, text);
        else
            setting->value |= INT64_C(1) << method;
    }
}

enum test_subject { TEST_OF_HEADER, TEST_OF_QUERY, TEST_OF_COOKIE };

/* "name", "name=value" or "name=~regex" */
static struct value_test parse_test(struct strview text)
{
    struct value_test test = {.kind = TEST_PRESENT, .name = text};
    test.name.length = strview_find(text, '=');
    if (test.name.length == text.length)
        return test;
    struct strview value = strview_from(text, test.name.length + 1);
    bool is_regex = value.length > 0 && value.data[0] == '~';
    test.kind = is_regex ? TEST_REGEX : TEST_EQUAL;
    test.value = strview_from(value, is_regex ? 1 : 0);
    return test;
}

static const char *test_problem(const struct value_test *test, enum test_subject subject)
{
    struct strview name = test->name;
    if (name.length == 0)
        return "the name in front of `=` is missing";
    if (test->kind == TEST_REGEX && test->value.length == 0)
        return "the regex behind `=~` is empty";
    if (name.data[name.length - 1] == '!')
        return "there is no `!=`: give the other requests a route of their own";
    if (strview_find(name, '~') < name.length && subject != TEST_OF_QUERY)
        return "a regex is written as `name=~regex`";
    if (subject != TEST_OF_QUERY && !header_name_is_token(name))
        return "the name has characters that no such name has";
    if (subject == TEST_OF_HEADER && strview_equal(name, STRVIEW("host")))
        return "the host is no header here: the route's key `host` tests it";
    if (subject == TEST_OF_HEADER && test->kind == TEST_EQUAL && test->value.length > 0 &&
        !header_value_is_valid(test->value))
        return "no header has this value: control characters or blanks at an end";
    return NULL;
}

static void read_tests(struct reader *reader, const struct cursor *cursor,
                       const struct key_row *row, struct test_list_setting *list,
                       enum test_subject subject)
{
    if (!read_expect(reader, cursor, row, KINDS_MANY))
        return;
    size_t count = cursor->node->child_count;
    struct arena *arena = &reader->settings->arena;
    list->items = arena_zalloc(arena, count * sizeof(*list->items));
    list->nodes = arena_zalloc(arena, count * sizeof(*list->nodes));
    unsigned index = 0;
    for (const struct source_node *node = cursor->node->first_child; node; node = node->next) {
        struct cursor child = cursor_child(cursor, index++, node);
        if (!read_expect(reader, &child, row, KIND_BIT(SOURCE_TEXT)))
            continue;
        struct value_test test = parse_test(read_text_of(reader, &child));
        if (subject == TEST_OF_HEADER)
            test.name = lower_copy(reader, test.name);
        const char *problem = test_problem(&test, subject);
        if (problem != NULL) {
            read_fault(reader, &child, "bad-condition", row, problem);
            continue;
        }
        list->items[list->count] = test;
        list->nodes[list->count++] = node;
    }
}

void read_header_tests(struct reader *reader, const struct cursor *cursor,
                       const struct key_row *row, void *target)
{
    read_tests(reader, cursor, row, target, TEST_OF_HEADER);
}

void read_query_tests(struct reader *reader, const struct cursor *cursor, const struct key_row *row,
                      void *target)
{
    read_tests(reader, cursor, row, target, TEST_OF_QUERY);
}

void read_cookie_tests(struct reader *reader, const struct cursor *cursor,
                       const struct key_row *row, void *target)
{
    read_tests(reader, cursor, row, target, TEST_OF_COOKIE);
}

static bool identity_of_text(struct reader *reader, struct strview text,
                             struct identity_source *ret_source)
{
    if (!identity_source_parse(text, ret_source))
        return false;
    if (ret_source->kind == IDENTITY_HEADER)
        ret_source->name = lower_copy(reader, ret_source->name);
    return true;
}

static void fault_identity(struct reader *reader, const struct source_node *node,
                           struct strview text)
{
    source_error(reader->report, "bad-identity", source_value_span(node),
                 "`%.*s` is no source of an identity", STRVIEW_ARGS(text));
    config_report_hint(reader->report, "one of \"assign\", \"address\", \"cookie:NAME\", "
                                       "\"header:NAME\", \"none\"");
}

void read_identity(struct reader *reader, const struct cursor *cursor, const struct key_row *row,
                   void *target)
{
    struct identity_list_setting *list = target;
    if (!read_expect(reader, cursor, row, KINDS_MANY))
        return;
    size_t count = cursor->node->child_count;
    struct arena *arena = &reader->settings->arena;
    list->items = arena_zalloc(arena, count * sizeof(*list->items));
    list->nodes = arena_zalloc(arena, count * sizeof(*list->nodes));
    unsigned index = 0;
    for (const struct source_node *node = cursor->node->first_child; node; node = node->next) {
        struct cursor child = cursor_child(cursor, index++, node);
        if (!read_expect(reader, &child, row, KIND_BIT(SOURCE_TEXT)))
            continue;
        struct strview text = read_text_of(reader, &child);
        if (!identity_of_text(reader, text, &list->items[list->count])) {
            fault_identity(reader, node, text);
            continue;
        }
        list->nodes[list->count++] = node;
    }
}

static void fault_forward(struct reader *reader, const struct source_node *node,
                          struct strview text)
{
    source_error(reader->report, "unknown-word", source_value_span(node),
                 "`%.*s` is no field that the proxy adds", STRVIEW_ARGS(text));
    struct suggestion suggestion = suggestion_begin(text);
    for (uint32_t bit = 0; bit < FORWARD_FIELD_COUNT; bit++)
        suggestion_offer(&suggestion, forward_field_name(bit));
    if (suggestion.best.length > 0)
        config_report_hint(reader->report, "did you mean `%.*s`?", STRVIEW_ARGS(suggestion.best));
    else
        config_report_hint(reader->report, "x-forwarded-for, x-forwarded-proto, x-forwarded-host, "
                                           "forwarded, via, x-request-id, traceparent");
}

void read_forward(struct reader *reader, const struct cursor *cursor, const struct key_row *row,
                  void *target)
{
    struct number_setting *setting = target;
    if (!read_expect(reader, cursor, row, KINDS_MANY))
        return;
    uint32_t fields = 0;
    unsigned index = 0;
    for (const struct source_node *node = cursor->node->first_child; node; node = node->next) {
        struct cursor child = cursor_child(cursor, index++, node);
        if (!read_expect(reader, &child, row, KIND_BIT(SOURCE_TEXT)))
            continue;
        struct strview text = read_text_of(reader, &child);
        uint32_t bit = forward_field_parse(text);
        if (bit == 0)
            fault_forward(reader, node, text);
        fields |= bit;
    }
    setting->value = fields;
}
