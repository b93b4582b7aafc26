#include "proxy/backend/endpoint_registry.h"

#include <stdlib.h>

#include "proxy/core/array.h"
#include "proxy/core/check.h"

enum { FIRST_SEGMENT = 16, SEGMENTS_MAX = 24, FIRST_BUCKETS = 64 };

#define HASH_BASIS UINT64_C(0xcbf29ce484222325)

struct breaker_entry {
    struct breaker *breaker;
    uint64_t hash;
};

struct breaker_list {
    struct breaker_entry *items;
    size_t count;
    size_t capacity;
};

/*
 * States by id stand in segments, each twice as large as the one before, that never move: workers
 * may read while control adds. The buckets (chains of ids) are control's alone.
 */
struct endpoint_registry {
    struct endpoint_entry *_Atomic segments[SEGMENTS_MAX];
    _Atomic uint32_t count;
    uint32_t *buckets; /* id + 1 of the first in the chain; 0: none */
    size_t bucket_count;
    struct breaker_list breakers; /* control's alone */
};

struct endpoint_entry {
    struct endpoint_state *state;
    uint64_t hash;
    uint32_t next; /* id + 1 */
};

struct endpoint_registry *endpoint_registry_new(void)
{
    struct endpoint_registry *registry = memory_zalloc(sizeof(*registry));
    registry->bucket_count = FIRST_BUCKETS;
    registry->buckets = memory_zalloc(FIRST_BUCKETS * sizeof(*registry->buckets));
    return registry;
}

/* Segment k holds the FIRST_SEGMENT << k ids from FIRST_SEGMENT * (2^k - 1) on. */
static struct endpoint_entry *entry_at(const struct endpoint_registry *registry, uint32_t id)
{
    uint32_t scaled = id / FIRST_SEGMENT + 1;
    uint32_t segment = 31 - (uint32_t)__builtin_clz(scaled);
    uint32_t first = FIRST_SEGMENT * ((1u << segment) - 1);
    struct endpoint_entry *entries =
        atomic_load_explicit(&registry->segments[segment], memory_order_acquire);
    return &entries[id - first];
}

void endpoint_registry_free(struct endpoint_registry *registry)
{
    if (registry == NULL)
        return;
    uint32_t count = endpoint_registry_count(registry);
    for (uint32_t id = 0; id < count; id++)
        free(entry_at(registry, id)->state);
    for (size_t i = 0; i < SEGMENTS_MAX; i++)
        free(atomic_load_explicit(&registry->segments[i], memory_order_relaxed));
    for (size_t i = 0; i < registry->breakers.count; i++)
        free(registry->breakers.items[i].breaker);
    free(registry->breakers.items);
    free(registry->buckets);
    free(registry);
}

/* FNV-1a, 64 bits, with a separator that no part holds. */
static uint64_t hash_add(uint64_t hash, struct strview part)
{
    for (size_t i = 0; i < part.length; i++)
        hash = (hash ^ (unsigned char)part.data[i]) * 0x100000001b3u;
    return (hash ^ 0xff) * 0x100000001b3u;
}

static uint64_t hash_of(const struct endpoint_key *key)
{
    return hash_add(hash_add(hash_add(HASH_BASIS, key->backend_name), key->host),
                    key->address_text);
}

static struct endpoint_state *find(const struct endpoint_registry *registry, uint64_t hash,
                                   const struct endpoint_key *key)
{
    uint32_t link = registry->buckets[hash & (registry->bucket_count - 1)];
    while (link != 0) {
        const struct endpoint_entry *entry = entry_at(registry, link - 1);
        struct endpoint_state *state = entry->state;
        if (entry->hash == hash && state->protocol == key->protocol &&
            strview_equal(state->backend_name, key->backend_name) &&
            strview_equal(state->host, key->host) &&
            strview_equal(state->address_text, key->address_text))
            return state;
        link = entry->next;
    }
    return NULL;
}

struct endpoint_state *endpoint_registry_find(const struct endpoint_registry *registry,
                                              const struct endpoint_key *key)
{
    return find(registry, hash_of(key), key);
}

static void link_entry(struct endpoint_registry *registry, uint32_t id)
{
    struct endpoint_entry *entry = entry_at(registry, id);
    uint32_t *bucket = &registry->buckets[entry->hash & (registry->bucket_count - 1)];
    entry->next = *bucket;
    *bucket = id + 1;
}

static void grow_buckets(struct endpoint_registry *registry, uint32_t count)
{
    free(registry->buckets);
    registry->bucket_count *= 2;
    registry->buckets = memory_zalloc(registry->bucket_count * sizeof(*registry->buckets));
    for (uint32_t id = 0; id < count; id++)
        link_entry(registry, id);
}

static struct strview keep(char **texts, struct strview text)
{
    char *copy = *texts;
    if (text.length > 0)
        memcpy(copy, text.data, text.length);
    *texts += text.length + 1;
    return strview_make(copy, text.length);
}

/* One block: the state and behind it the bytes of its texts. */
static struct endpoint_state *state_new(uint32_t id, const struct endpoint_key *key)
{
    size_t text_bytes = key->backend_name.length + key->host.length + key->address_text.length + 3;
    struct endpoint_state *state = memory_zalloc(sizeof(*state) + text_bytes);
    char *texts = (char *)(state + 1);
    state->backend_name = keep(&texts, key->backend_name);
    state->host = keep(&texts, key->host);
    state->address_text = keep(&texts, key->address_text);
    state->id = id;
    state->protocol = key->protocol;
    state->address = key->address;
    state->hash = hash_add(HASH_BASIS, key->address_text);
    return state;
}

static void ensure_segment(struct endpoint_registry *registry, uint32_t id)
{
    uint32_t scaled = id / FIRST_SEGMENT + 1;
    uint32_t segment = 31 - (uint32_t)__builtin_clz(scaled);
    CHECK(segment < SEGMENTS_MAX);
    if (atomic_load_explicit(&registry->segments[segment], memory_order_relaxed) != NULL)
        return;
    struct endpoint_entry *entries =
        memory_zalloc(((size_t)FIRST_SEGMENT << segment) * sizeof(*entries));
    atomic_store_explicit(&registry->segments[segment], entries, memory_order_release);
}

struct endpoint_state *endpoint_registry_get(struct endpoint_registry *registry,
                                             const struct endpoint_key *key)
{
    uint64_t hash = hash_of(key);
    struct endpoint_state *known = find(registry, hash, key);
    if (known != NULL)
        return known;
    uint32_t id = endpoint_registry_count(registry);
    if (id >= registry->bucket_count)
        grow_buckets(registry, id);
    ensure_segment(registry, id);
    struct endpoint_entry *entry = entry_at(registry, id);
    entry->hash = hash;
    entry->state = state_new(id, key);
    entry->state->breaker = endpoint_registry_breaker(registry, key->backend_name);
    link_entry(registry, id);
    atomic_store_explicit(&registry->count, id + 1, memory_order_release);
    return entry->state;
}

struct breaker *endpoint_registry_breaker(struct endpoint_registry *registry,
                                          struct strview backend_name)
{
    struct breaker_list *list = &registry->breakers;
    uint64_t hash = hash_add(HASH_BASIS, backend_name);
    for (size_t i = 0; i < list->count; i++) {
        struct breaker *breaker = list->items[i].breaker;
        if (list->items[i].hash == hash && strview_equal(breaker->backend_name, backend_name))
            return breaker;
    }
    struct breaker *breaker = memory_zalloc(sizeof(*breaker) + backend_name.length + 1);
    char *name = (char *)(breaker + 1);
    memcpy(name, backend_name.data, backend_name.length);
    breaker->id = (uint32_t)list->count;
    breaker->backend_name = strview_make(name, backend_name.length);
    *ARRAY_PUSH(list) = (struct breaker_entry){.breaker = breaker, .hash = hash};
    return breaker;
}

uint32_t endpoint_registry_breaker_count(const struct endpoint_registry *registry)
{
    return (uint32_t)registry->breakers.count;
}

const struct breaker *endpoint_registry_breaker_at(const struct endpoint_registry *registry,
                                                   uint32_t id)
{
    CHECK(id < registry->breakers.count);
    return registry->breakers.items[id].breaker;
}

uint32_t endpoint_registry_count(const struct endpoint_registry *registry)
{
    return atomic_load_explicit(&registry->count, memory_order_acquire);
}

struct endpoint_state *endpoint_registry_at(const struct endpoint_registry *registry, uint32_t id)
{
    CHECK(id < endpoint_registry_count(registry));
    return entry_at(registry, id)->state;
}
