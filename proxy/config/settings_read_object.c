#include <libconfig.h>

#include "proxy/config/settings_read.h"
#include "proxy/core/array.h"

void read_group(struct reader *reader, const struct cursor *cursor, const struct key_row *row,
                void *target)
{
    const struct key_table *table = row->rule;
    if (!read_expect(reader, cursor, row, KIND_BIT(SOURCE_GROUP)))
        return;
    read_keys(reader, cursor, table, target);
    read_check_required(reader, table, target, source_name_span(cursor->node));
}

void read_certificates(struct reader *reader, const struct cursor *cursor,
                       const struct key_row *row, void *target)
{
    struct certificate_list_setting *list = target;
    if (!read_expect(reader, cursor, row, KIND_BIT(SOURCE_LIST)))
        return;
    if (cursor->node->child_count == 0) {
        read_fault(reader, cursor, "empty-list", row, "TLS needs at least one certificate");
        return;
    }
    size_t count = cursor->node->child_count;
    list->items = arena_zalloc(&reader->settings->arena, count * sizeof(*list->items));
    unsigned index = 0;
    for (const struct source_node *node = cursor->node->first_child; node; node = node->next) {
        struct cursor child = cursor_child(cursor, index++, node);
        if (!read_expect(reader, &child, row, KIND_BIT(SOURCE_GROUP)))
            continue;
        struct certificate_settings *item = &list->items[list->count++];
        item->node = node;
        read_keys(reader, &child, &certificate_keys, item);
        read_check_required(reader, &certificate_keys, item, source_value_span(node));
    }
}

static void fault_repeated(struct reader *reader, const char *noun, const struct source_node *node,
                           const struct source_node *first)
{
    struct strview place = source_place(&reader->settings->arena, source_name_span(first));
    source_error(reader->report, "duplicate-name", source_name_span(node),
                 "the %s `%.*s` stands here a second time, it is defined at %.*s already", noun,
                 STRVIEW_ARGS(node->name), STRVIEW_ARGS(place));
}

static void *add_listener(struct reader *reader, const struct source_node *node)
{
    struct listener_list *list = &reader->settings->listeners;
    if (!name_index_add(&list->names, node->name, (uint32_t)list->count)) {
        int64_t first = name_index_find(&list->names, node->name);
        fault_repeated(reader, "listener", node, list->items[first].node);
        return NULL;
    }
    struct listener_settings *listener = ARRAY_PUSH(list);
    listener->node = node;
    return listener;
}

static void *add_backend(struct reader *reader, const struct source_node *node)
{
    struct backend_list *list = &reader->settings->backends;
    if (!name_index_add(&list->names, node->name, (uint32_t)list->count)) {
        int64_t first = name_index_find(&list->names, node->name);
        fault_repeated(reader, "backend", node, list->items[first].node);
        return NULL;
    }
    struct backend_settings *backend = ARRAY_PUSH(list);
    backend->node = node;
    return backend;
}

static void *add_module(struct reader *reader, const struct source_node *node)
{
    struct module_list *list = &reader->settings->modules;
    if (!name_index_add(&list->names, node->name, (uint32_t)list->count)) {
        int64_t first = name_index_find(&list->names, node->name);
        fault_repeated(reader, "module", node, list->items[first].node);
        return NULL;
    }
    reader->module = (int64_t)list->count;
    struct module_settings *module = ARRAY_PUSH(list);
    module->node = node;
    return module;
}

/* Routes of different modules may have the same name; `names` is of the group being read. */
static void *add_route_to(struct reader *reader, struct name_index *names,
                          const struct source_node *node)
{
    struct route_list *list = &reader->settings->routes;
    if (!name_index_add(names, node->name, (uint32_t)list->count)) {
        int64_t first = name_index_find(names, node->name);
        fault_repeated(reader, "route", node, list->items[first].node);
        return NULL;
    }
    struct route_settings *route = ARRAY_PUSH(list);
    route->node = node;
    route->module = reader->module;
    return route;
}

static void *add_route(struct reader *reader, const struct source_node *node)
{
    reader->module = ROUTE_NO_MODULE;
    return add_route_to(reader, &reader->settings->routes.names, node);
}

static void *add_module_route(struct reader *reader, const struct source_node *node)
{
    return add_route_to(reader, &reader->module_routes, node);
}

const struct object_rule listener_objects = {"listener", &listener_keys, add_listener};
const struct object_rule backend_objects = {"backend", &backend_keys, add_backend};
const struct object_rule module_objects = {"module", &module_keys, add_module};
const struct object_rule route_objects = {"route", &route_keys, add_route};
static const struct object_rule module_route_objects = {"route", &module_route_keys,
                                                        add_module_route};

static void read_object(struct reader *reader, const struct cursor *cursor,
                        const struct object_rule *rule)
{
    const struct source_node *node = cursor->node;
    if (node->kind != SOURCE_GROUP) {
        source_error(reader->report, "wrong-type", source_value_span(node),
                     "the %s `%.*s` has to be a group { }", rule->noun, STRVIEW_ARGS(node->name));
        return;
    }
    void *object = rule->add(reader, node);
    if (object == NULL)
        return;
    read_defaults(rule->table, object);
    read_keys(reader, cursor, rule->table, object);
    read_check_required(reader, rule->table, object, source_name_span(node));
}

static void read_all(struct reader *reader, const struct cursor *cursor, const struct key_row *row,
                     const struct object_rule *rule)
{
    if (!read_expect(reader, cursor, row, KIND_BIT(SOURCE_GROUP)))
        return;
    unsigned index = 0;
    for (const struct source_node *node = cursor->node->first_child; node; node = node->next) {
        struct cursor child = cursor_child(cursor, index++, node);
        read_object(reader, &child, rule);
    }
}

void read_objects(struct reader *reader, const struct cursor *cursor, const struct key_row *row,
                  void *target)
{
    (void)target; /* the objects go to the settings' own lists */
    read_all(reader, cursor, row, row->rule);
}

void read_module_routes(struct reader *reader, const struct cursor *cursor,
                        const struct key_row *row, void *target)
{
    (void)target;
    reader->module_routes = (struct name_index){.entries = NULL};
    read_all(reader, cursor, row, &module_route_objects);
    name_index_done(&reader->module_routes);
}
