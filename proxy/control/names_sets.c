/* From host names to sets of endpoints. */
#include <stdio.h>
#include <stdlib.h>

#include "proxy/control/names_internal.h"
#include "proxy/core/array.h"
#include "proxy/core/log.h"

/* Of the process; what names lead to beyond is left out. */
enum { ENDPOINTS_MAX = 64 * 1024 };

struct slot_list {
    struct endpoint_slot *items;
    size_t count;
    size_t capacity;
};

static bool has_slot(const struct slot_list *slots, const struct endpoint_state *state)
{
    for (size_t i = 0; i < slots->count; i++) {
        if (slots->items[i].state == state)
            return true;
    }
    return false;
}

/* The state for a key; NULL when there are too many to learn about another one. */
static struct endpoint_state *state_of(struct names *names, const struct endpoint_key *key)
{
    struct endpoint_registry *registry = names->options.registry;
    if (key->host.length == 0 || endpoint_registry_count(registry) < ENDPOINTS_MAX)
        return endpoint_registry_get(registry, key);
    struct endpoint_state *known = endpoint_registry_find(registry, key);
    if (known == NULL && !names->told_too_many)
        log_error("host names have led to more than %d endpoints; further ones are left out until "
                  "a restart",
                  ENDPOINTS_MAX);
    names->told_too_many = names->told_too_many || known == NULL;
    return known;
}

/* False when the backend has as many as it may. */
static bool add_slot(struct names *names, struct slot_list *slots, const struct endpoint_key *key,
                     uint32_t weight)
{
    if (slots->count == BACKEND_ENDPOINTS_MAX)
        return false;
    struct endpoint_state *state = state_of(names, key);
    if (state != NULL && !has_slot(slots, state))
        *ARRAY_PUSH(slots) = (struct endpoint_slot){.state = state, .weight = weight};
    return true;
}

static void tell_left_out(struct name *name, const struct backend *backend)
{
    if (!name->told_more)
        log_warning("the host name %s leads to more endpoints than backend %.*s may have (%d); its "
                    "other addresses are left out",
                    name->host.data, STRVIEW_ARGS(backend->name), BACKEND_ENDPOINTS_MAX);
    name->told_more = true;
}

static struct address address_with_port(const struct ip_address *ip, uint16_t port)
{
    char host[ADDRESS_TEXT_BYTES];
    char text[ADDRESS_TEXT_BYTES + 16];
    struct address address = {.length = 0};
    ip_format(ip, host);
    int length = snprintf(text, sizeof(text), ip_is_v4(ip) ? "%s:%u" : "[%s]:%u", host, port);
    address_parse(strview_make(text, (size_t)length), &address);
    return address;
}

static void add_addresses(struct names *names, const struct backend *backend,
                          const struct endpoint_name *from, struct slot_list *slots)
{
    struct name *name = names_find(names, from->host);
    if (name == NULL)
        return;
    bool all = !name->more;
    for (uint32_t i = 0; i < name->count; i++) {
        char text[ADDRESS_TEXT_BYTES];
        struct endpoint_key key = {
            .backend_name = backend->name,
            .host = from->host,
            .address = address_with_port(&name->addresses[i], from->port),
            .protocol = (int)backend->protocol,
        };
        key.address_text = strview_of(address_format(&key.address, text));
        all = add_slot(names, slots, &key, from->weight) && all;
    }
    if (!all)
        tell_left_out(name, backend);
}

static struct endpoint_set *make_set(struct names *names, const struct backend *backend)
{
    struct slot_list slots = {.items = NULL};
    for (uint32_t i = 0; i < backend->name_count; i++) {
        const struct endpoint_name *name = &backend->names[i];
        const struct endpoint_key key = {
            .backend_name = backend->name,
            .address_text = name->text,
            .address = name->address,
            .protocol = (int)backend->protocol,
        };
        if (name->host.length > 0)
            add_addresses(names, backend, name, &slots);
        else
            add_slot(names, &slots, &key, name->weight);
    }
    struct endpoint_set *set = endpoint_set_new(slots.items, (uint32_t)slots.count);
    free(slots.items);
    return set;
}

static bool is_resolving(const struct names *names, const struct backend *backend)
{
    for (uint32_t i = 0; i < backend->name_count; i++) {
        const struct name *name = names_find(names, backend->names[i].host);
        if (backend->names[i].host.length > 0 && (name == NULL || !name->answered))
            return true;
    }
    return false;
}

static bool has_names(const struct backend *backend)
{
    for (uint32_t i = 0; i < backend->name_count; i++) {
        if (backend->names[i].host.length > 0)
            return true;
    }
    return false;
}

static bool is_same(const struct endpoint_set *left, const struct endpoint_set *right)
{
    if (left->count != right->count)
        return false;
    for (uint32_t i = 0; i < left->count; i++) {
        if (left->slots[i].state != right->slots[i].state ||
            left->slots[i].weight != right->slots[i].weight)
            return false;
    }
    return true;
}

/* The set that it had, or NULL when that is still the right one. */
static struct endpoint_set *replace_set(struct names *names, struct backend *backend)
{
    struct endpoint_set *set = make_set(names, backend);
    struct endpoint_set *old = atomic_load_explicit(&backend->endpoints, memory_order_relaxed);
    if (is_same(old, set)) {
        endpoint_set_free(set);
        old = NULL;
    } else {
        atomic_store_explicit(&backend->endpoints, set, memory_order_release);
    }
    atomic_store_explicit(&backend->resolving, is_resolving(names, backend), memory_order_relaxed);
    return old;
}

void names_fill(struct names *names, struct snapshot *snapshot)
{
    if (names == NULL)
        return;
    for (uint32_t i = 0; i < snapshot->backend_count; i++) {
        if (has_names(&snapshot->backends[i]))
            endpoint_set_free(replace_set(names, &snapshot->backends[i]));
    }
}

void names_apply(struct names *names)
{
    const struct snapshot *snapshot = names->snapshot;
    struct endpoint_set **old =
        memory_zalloc(snapshot->backend_count * sizeof(struct endpoint_set *));
    bool changed = false;
    for (uint32_t i = 0; i < snapshot->backend_count; i++) {
        if (has_names(&snapshot->backends[i]))
            old[i] = replace_set(names, &snapshot->backends[i]);
        changed = changed || old[i] != NULL;
    }
    if (changed)
        names->options.on_change(names->options.context);
    for (uint32_t i = 0; i < snapshot->backend_count; i++)
        endpoint_set_free(old[i]);
    free(old);
}
