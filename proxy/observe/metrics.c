#include "proxy/observe/metrics.h"

#include <stdlib.h>

#include "proxy/core/arena.h"
#include "proxy/core/array.h"
#include "proxy/core/check.h"

/* Counters live in chunks, chunks in pages; both are made when the first addition needs them, and
 * published with release so that readers see zeroed memory. */
struct metrics_chunk {
    _Atomic uint64_t counters[METRICS_CHUNK];
};

struct metrics_page {
    _Atomic(struct metrics_chunk *) chunks[METRICS_PAGE];
};

struct metrics_registry {
    struct arena arena;
    struct metric_names names;
    struct metrics_block *items;
    size_t count;
    size_t capacity;
    uint32_t *slots; /* hash table over items: index + 1, 0 is free */
    size_t slot_count;
    uint32_t next_id;
};

/* --- the tables ---------------------------------------------------------------------------- */

/* The registered codes (RFC 9110 section 15 and the IANA registry); index 0 … 4 are the classes. */
static const uint16_t codes[METRICS_CODES] = {
    1,   2,   3,   4,   5, /* unregistered, by class */
    100, 101, 102, 103, 200, 201, 202, 203, 204, 205, 206, 207, 208, 226, 300, 301,
    302, 303, 304, 305, 307, 308, 400, 401, 402, 403, 404, 405, 406, 407, 408, 409,
    410, 411, 412, 413, 414, 415, 416, 417, 418, 421, 422, 423, 424, 425, 426, 428,
    429, 431, 451, 499, 500, 501, 502, 503, 504, 505, 506, 507, 508, 511, 599,
};

static const uint64_t bucket_bounds_us[METRICS_BUCKETS - 1] = {
    250,   500,    1000,   2500,   5000,    10000,   25000,
    50000, 100000, 250000, 500000, 1000000, 2500000, 10000000,
};

static uint32_t code_index(int status)
{
    uint32_t low = 5;
    uint32_t high = METRICS_CODES;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (codes[middle] < status)
            low = middle + 1;
        else
            high = middle;
    }
    if (low < METRICS_CODES && codes[low] == status)
        return low;
    int class = status / 100;
    return class >= 1 && class <= 5 ? (uint32_t) class - 1 : 4;
}

struct strview metrics_code_name(uint32_t index, char buffer[static 4])
{
    uint32_t code = codes[index];
    if (index < 5) {
        buffer[0] = (char)('0' + code);
        buffer[1] = buffer[2] = 'x';
    } else {
        buffer[0] = (char)('0' + code / 100);
        buffer[1] = (char)('0' + code / 10 % 10);
        buffer[2] = (char)('0' + code % 10);
    }
    buffer[3] = '\0';
    return strview_make(buffer, 3);
}

struct strview connection_protocol_name(enum connection_protocol protocol)
{
    static const char *const names[CONNECTION_PROTOCOLS] = {
        [CONNECTION_UNKNOWN] = "unknown",
        [CONNECTION_HTTP1] = "http/1.1",
        [CONNECTION_H2] = "h2",
        [CONNECTION_H2C] = "h2c",
    };
    return strview_of(names[protocol]);
}

bool metrics_code_is_error(uint32_t index)
{
    return index < 5 ? codes[index] == 5 : codes[index] / 100 == 5;
}

uint32_t metrics_request_offset(enum http_method method, int status)
{
    return (uint32_t)method * METRICS_CODES + code_index(status);
}

/* The last has no bound. */
static const int64_t delta_bounds_us[METRICS_DELTA_BUCKETS] = {
    -1000000, -300000, -100000, -30000, -10000, -3000,  -1000,  -300,    0,
    300,      1000,    3000,    10000,  30000,  100000, 300000, 1000000, INT64_MAX,
};

int64_t metrics_delta_bucket_us(uint32_t bucket)
{
    return delta_bounds_us[bucket];
}

uint64_t metrics_bucket_us(uint32_t bucket)
{
    return bucket_bounds_us[bucket];
}

uint32_t metrics_block_size(const struct metric_names *names, enum metric_family family)
{
    switch (family) {
    case METRIC_REQUESTS:
        return METHOD_COUNT * METRICS_CODES;
    case METRIC_DECISIONS:
        return names->reason_count;
    case METRIC_REQUEST_DURATION:
    case METRIC_BACKEND_DURATION:
    case METRIC_SHADOW_DURATION:
        return METRICS_BUCKETS + 1; /* buckets, then the sum in microseconds */
    case METRIC_BACKEND_ERRORS:
        return names->fault_count;
    case METRIC_CLIENT_FAULTS:
        return names->client_fault_count;
    case METRIC_SHADOW_SAMPLED:
    case METRIC_SHADOW_SENT:
        return 1;
    case METRIC_SHADOW_DROPPED:
        return names->shadow_drop_count;
    case METRIC_COMPARE:
        return names->verdict_count;
    case METRIC_PAIR_DELTA:
        return METRICS_DELTA_BUCKETS + 1; /* buckets, then the sum in microseconds */
    case METRIC_FAMILY_COUNT:
        break;
    }
    return 0;
}

/* --- the registry -------------------------------------------------------------------------- */

struct metrics_registry *metrics_registry_new(const struct metric_names *names)
{
    struct metrics_registry *registry = memory_zalloc(sizeof(*registry));
    arena_init(&registry->arena, NULL);
    registry->names = *names;
    return registry;
}

void metrics_registry_free(struct metrics_registry *registry)
{
    arena_done(&registry->arena);
    free(registry->items);
    free(registry->slots);
    free(registry);
}

/* FNV-1a, 64 bits; keys come from our own configuration. */
static uint64_t hash_of(enum metric_family family, struct strview labels)
{
    uint64_t hash = 0xcbf29ce484222325u ^ (uint64_t)family;
    for (size_t i = 0; i < labels.length; i++)
        hash = (hash ^ (unsigned char)labels.data[i]) * 0x100000001b3u;
    return hash;
}

static uint32_t *find_slot(struct metrics_registry *registry, enum metric_family family,
                           struct strview labels)
{
    size_t mask = registry->slot_count - 1;
    for (size_t at = hash_of(family, labels) & mask;; at = (at + 1) & mask) {
        uint32_t *slot = &registry->slots[at];
        if (*slot == 0)
            return slot;
        const struct metrics_block *block = &registry->items[*slot - 1];
        if (block->family == family && strview_equal(block->labels, labels))
            return slot;
    }
}

static void grow_slots(struct metrics_registry *registry)
{
    free(registry->slots);
    registry->slot_count = registry->slot_count ? registry->slot_count * 2 : 64;
    registry->slots = memory_zalloc(registry->slot_count * sizeof(*registry->slots));
    for (size_t i = 0; i < registry->count; i++) {
        const struct metrics_block *block = &registry->items[i];
        *find_slot(registry, block->family, block->labels) = (uint32_t)i + 1;
    }
}

uint32_t metrics_registry_block(struct metrics_registry *registry, enum metric_family family,
                                struct strview labels)
{
    if (registry->count * 2 >= registry->slot_count)
        grow_slots(registry);
    uint32_t *slot = find_slot(registry, family, labels);
    if (*slot != 0)
        return registry->items[*slot - 1].first;
    uint32_t size = metrics_block_size(&registry->names, family);
    /* With every id given out, the rest share the first block of their family. */
    if (registry->next_id + size > (uint32_t)METRICS_CHUNK * METRICS_PAGE * METRICS_PAGES) {
        for (size_t i = 0; i < registry->count; i++) {
            if (registry->items[i].family == family)
                return registry->items[i].first;
        }
    }
    struct metrics_block *block = ARRAY_PUSH(registry);
    *block = (struct metrics_block){
        .family = family,
        .first = registry->next_id,
        .labels = arena_copy(&registry->arena, labels),
    };
    registry->next_id += size;
    *slot = (uint32_t)registry->count;
    return block->first;
}

uint32_t metrics_registry_count(const struct metrics_registry *registry)
{
    return (uint32_t)registry->count;
}

const struct metrics_block *metrics_registry_at(const struct metrics_registry *registry,
                                                uint32_t index)
{
    return &registry->items[index];
}

const struct metric_names *metrics_registry_names(const struct metrics_registry *registry)
{
    return &registry->names;
}

/* --- shards -------------------------------------------------------------------------------- */

struct metrics_shard *metrics_shard_new(void)
{
    return memory_zalloc(sizeof(struct metrics_shard));
}

void metrics_shard_free(struct metrics_shard *shard)
{
    for (uint32_t i = 0; i < METRICS_PAGES; i++) {
        struct metrics_page *page = shard->pages[i];
        for (uint32_t j = 0; page != NULL && j < METRICS_PAGE; j++)
            free(page->chunks[j]);
        free(page);
    }
    free(shard);
}

static _Atomic uint64_t *counter_at(struct metrics_shard *shard, uint32_t id)
{
    uint32_t chunk_id = id / METRICS_CHUNK;
    CHECK(chunk_id / METRICS_PAGE < METRICS_PAGES);
    _Atomic(struct metrics_page *) *page_slot = &shard->pages[chunk_id / METRICS_PAGE];
    struct metrics_page *page = atomic_load_explicit(page_slot, memory_order_relaxed);
    if (page == NULL) {
        page = memory_zalloc(sizeof(*page));
        atomic_store_explicit(page_slot, page, memory_order_release);
    }
    _Atomic(struct metrics_chunk *) *chunk_slot = &page->chunks[chunk_id % METRICS_PAGE];
    struct metrics_chunk *chunk = atomic_load_explicit(chunk_slot, memory_order_relaxed);
    if (chunk == NULL) {
        chunk = memory_zalloc(sizeof(*chunk));
        atomic_store_explicit(chunk_slot, chunk, memory_order_release);
    }
    return &chunk->counters[id % METRICS_CHUNK];
}

void metrics_add(struct metrics_shard *shard, uint32_t id, uint64_t amount)
{
    _Atomic uint64_t *counter = counter_at(shard, id);
    /* One writer: a load and a store, not a locked addition. */
    uint64_t value = atomic_load_explicit(counter, memory_order_relaxed);
    atomic_store_explicit(counter, value + amount, memory_order_relaxed);
}

uint64_t metrics_read(const struct metrics_shard *shard, uint32_t id)
{
    uint32_t chunk_id = id / METRICS_CHUNK;
    struct metrics_page *page =
        atomic_load_explicit(&shard->pages[chunk_id / METRICS_PAGE], memory_order_acquire);
    if (page == NULL)
        return 0;
    struct metrics_chunk *chunk =
        atomic_load_explicit(&page->chunks[chunk_id % METRICS_PAGE], memory_order_acquire);
    if (chunk == NULL)
        return 0;
    return atomic_load_explicit(&chunk->counters[id % METRICS_CHUNK], memory_order_relaxed);
}

void metrics_observe(struct metrics_shard *shard, uint32_t first, uint64_t duration_us)
{
    uint32_t bucket = 0;
    while (bucket < METRICS_BUCKETS - 1 && duration_us > bucket_bounds_us[bucket])
        bucket++;
    metrics_add(shard, first + bucket, 1);
    metrics_add(shard, first + METRICS_BUCKETS, duration_us);
}

/* The sum is kept in two's complement: additions of negative numbers wrap around as they should. */
void metrics_observe_delta(struct metrics_shard *shard, uint32_t first, int64_t delta_us)
{
    uint32_t bucket = 0;
    while (bucket < METRICS_DELTA_BUCKETS - 1 && delta_us > delta_bounds_us[bucket])
        bucket++;
    metrics_add(shard, first + bucket, 1);
    metrics_add(shard, first + METRICS_DELTA_BUCKETS, (uint64_t)delta_us);
}
