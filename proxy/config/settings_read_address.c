#include "proxy/config/settings_read.h"

static bool is_label_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

/*
 * Labels of at most 63 bytes, 253 in all (RFC 1035 section 2.3.4; the underscore is common). The
 * last has a letter, so that no mistyped address is taken for a name.
 */
static bool is_host_name(struct strview host)
{
    size_t label = 0;
    bool letter = false;
    for (size_t i = 0; i < host.length; i++) {
        char c = ascii_lower(host.data[i]);
        if (c == '.' && label > 0) {
            label = 0;
            letter = false;
            continue;
        }
        letter = letter || (c >= 'a' && c <= 'z');
        if (!is_label_byte(c) || ++label > 63)
            return false;
    }
    return label > 0 && letter && host.length <= 253;
}

/* Why the text is no address. */
static const char *address_problem(struct strview text)
{
    if (strview_starts_with(text, STRVIEW("unix:")))
        return "this is no path of a socket";
    size_t colon = text.length;
    while (colon > 0 && text.data[colon - 1] != ':')
        colon--;
    if (colon == 0)
        return "a port is missing";
    uint64_t port;
    if (!strview_to_u64(strview_from(text, colon), INT64_MAX, &port))
        return "there is no port number behind the last colon";
    if (port > UINT16_MAX)
        return "a port is a number from 1 to 65535";
    if (is_host_name(strview_make(text.data, colon - 1)))
        return "a host name works for endpoints of backends only";
    return "this is no address";
}

static bool address_of(struct reader *reader, const struct cursor *cursor,
                       const struct key_row *row, struct address_setting *setting)
{
    struct strview text = read_text_of(reader, cursor);
    struct address address;
    if (!address_parse(text, &address)) {
        source_error(reader->report, "bad-address", source_value_span(cursor->node), "`%.*s`: %s",
                     STRVIEW_ARGS(text), address_problem(text));
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
    if (read_expect(reader, cursor, row, KIND_BIT(SOURCE_TEXT)))
        address_of(reader, cursor, row, target);
}

/* "users.internal:3001" */
static bool host_of(struct reader *reader, const struct cursor *cursor,
                    struct address_setting *setting)
{
    struct strview text = read_text_of(reader, cursor);
    struct address address;
    uint64_t port;
    size_t colon = strview_find(text, ':');
    struct strview host = strview_make(text.data, colon);
    if (colon == text.length || address_parse(text, &address) || !is_host_name(host) ||
        !strview_to_u64(strview_from(text, colon + 1), UINT16_MAX, &port) || port == 0)
        return false;
    char *lower = arena_alloc(&reader->settings->arena, host.length);
    for (size_t i = 0; i < host.length; i++)
        lower[i] = ascii_lower(host.data[i]);
    setting->text = text;
    setting->host = strview_make(lower, host.length);
    setting->port = (uint16_t)port;
    return true;
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
        if (!read_expect(reader, &child, row, KIND_BIT(SOURCE_TEXT)))
            continue;
        if (!host_of(reader, &child, item) && !address_of(reader, &child, row, item))
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
