#include "proxy/config/settings_read.h"

/* A name with a port, where only addresses work: worth its own words. */
static bool looks_like_host_name(struct strview text)
{
    if (strview_starts_with(text, STRVIEW("unix:")) || text.length == 0)
        return false;
    bool letter = false;
    for (size_t i = 0; i < text.length; i++) {
        char c = ascii_lower(text.data[i]);
        letter = letter || (c >= 'g' && c <= 'z');
        if (c == '[' || c == '/' || c == ' ')
            return false;
    }
    return letter;
}

static bool address_of(struct reader *reader, const struct cursor *cursor,
                       const struct key_row *row, struct address_setting *setting)
{
    if (!read_expect(reader, cursor, row, KIND_BIT(SOURCE_TEXT)))
        return false;
    struct strview text = read_text_of(reader, cursor);
    struct address address;
    if (!address_parse(text, &address)) {
        bool is_name = looks_like_host_name(text) && strview_find(text, ':') < text.length &&
                       !strview_starts_with(text, STRVIEW("localhost:"));
        source_error(reader->report, "bad-address", source_value_span(cursor->node),
                     is_name ? "`%.*s`: host names are not resolved in this version"
                             : "`%.*s` is no address",
                     STRVIEW_ARGS(text));
        config_report_hint(reader->report,
                           "\"127.0.0.1:3000\", \"[::1]:3000\", \"localhost:3000\" or "
                           "\"unix:/run/app.sock\"");
        return false;
    }
    bool local = address.socket.any.sa_family == AF_UNIX;
    if (!local && address_port(&address) == 0) {
        read_fault(reader, cursor, "bad-address", row, "port 0 is no port to connect to");
        return false;
    }
    setting->text = text;
    setting->address = address;
    return true;
}

void read_address(struct reader *reader, const struct cursor *cursor, const struct key_row *row,
                  void *target)
{
    address_of(reader, cursor, row, target);
}

static bool is_repeated(const struct address_list_setting *list, struct strview text)
{
    for (size_t i = 0; i < list->count; i++) {
        if (strview_equal(list->items[i].text, text))
            return true;
    }
    return false;
}

void read_endpoints(struct reader *reader, const struct cursor *cursor, const struct key_row *row,
                    void *target)
{
    const struct number_rule *rule = row->rule;
    struct address_list_setting *list = target;
    if (!read_expect(reader, cursor, row, KINDS_MANY))
        return;
    int64_t count = cursor->node->child_count;
    if (count < rule->minimum || count > rule->maximum) {
        source_error(reader->report, "out-of-range", source_value_span(cursor->node),
                     "a backend has 1 to %lld endpoints", (long long)rule->maximum);
        return;
    }
    list->items = arena_zalloc(&reader->settings->arena, (size_t)count * sizeof(*list->items));
    unsigned index = 0;
    for (const struct source_node *node = cursor->node->first_child; node; node = node->next) {
        struct cursor child = cursor_child(cursor, index++, node);
        struct address_setting *item = &list->items[list->count];
        item->node = node;
        if (!address_of(reader, &child, row, item))
            continue;
        if (is_repeated(list, item->text))
            source_error(reader->report, "duplicate-address", source_value_span(node),
                         "`%.*s` stands twice in this backend", STRVIEW_ARGS(item->text));
        else
            list->count++;
    }
}

void read_cidrs(struct reader *reader, const struct cursor *cursor, const struct key_row *row,
                void *target)
{
    struct cidr_list_setting *list = target;
    if (!read_expect(reader, cursor, row, KINDS_MANY))
        return;
    size_t count = cursor->node->child_count;
    list->items = arena_zalloc(&reader->settings->arena, count * sizeof(*list->items));
    unsigned index = 0;
    for (const struct source_node *node = cursor->node->first_child; node; node = node->next) {
        struct cursor child = cursor_child(cursor, index++, node);
        if (!read_expect(reader, &child, row, KIND_BIT(SOURCE_TEXT)))
            continue;
        struct strview text = read_text_of(reader, &child);
        if (cidr_parse(text, &list->items[list->count])) {
            list->count++;
            continue;
        }
        source_error(reader->report, "bad-cidr", source_value_span(node),
                     "`%.*s` is no address block", STRVIEW_ARGS(text));
        config_report_hint(reader->report, "like \"10.0.0.0/8\", \"2001:db8::/32\" or "
                                           "\"192.0.2.1\"; bits behind the prefix are zero");
    }
}
