#include "proxy/client/address_counts.h"

#include <pthread.h>
#include <stdlib.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "proxy/core/array.h"
#include "proxy/core/check.h"

/* An entry is there while its address has connections, so there are at most as many entries as
 * connections. What is not used of the buckets costs no memory. */
enum { BUCKETS = 1 << 16, LOCKS = 1 << 6 };

struct entry {
    struct entry *next;
    uint64_t network;
    uint32_t connections;
};

struct address_counts {
    uint64_t seed;
    pthread_mutex_t locks[LOCKS]; /* each for every LOCKS-th bucket */
    struct entry *buckets[BUCKETS];
};

/* One address's bucket, locked. */
struct place {
    pthread_mutex_t *lock;
    struct entry **link; /* to its entry, or to NULL, where one would be put */
    uint64_t network;
};

static struct place place_lock(struct address_counts *counts, const struct ip_address *ip)
{
    struct place place = {.network = ip_network(ip)};
    uint64_t hash = XXH3_64bits_withSeed(&place.network, sizeof(place.network), counts->seed);
    place.lock = &counts->locks[hash % LOCKS];
    place.link = &counts->buckets[hash % BUCKETS];
    pthread_mutex_lock(place.lock);
    while (*place.link != NULL && (*place.link)->network != place.network)
        place.link = &(*place.link)->next;
    return place;
}

struct address_counts *address_counts_new(uint64_t seed)
{
    struct address_counts *counts = memory_zalloc(sizeof(*counts));
    counts->seed = seed;
    for (size_t i = 0; i < LOCKS; i++)
        CHECK(pthread_mutex_init(&counts->locks[i], NULL) == 0);
    return counts;
}

void address_counts_free(struct address_counts *counts)
{
    for (size_t i = 0; i < BUCKETS; i++)
        CHECK(counts->buckets[i] == NULL);
    for (size_t i = 0; i < LOCKS; i++)
        pthread_mutex_destroy(&counts->locks[i]);
    free(counts);
}

bool address_counts_add(struct address_counts *counts, const struct ip_address *ip, uint32_t limit)
{
    struct place place = place_lock(counts, ip);
    uint32_t connections = *place.link != NULL ? (*place.link)->connections : 0;
    bool has_room = limit == 0 || connections < limit;
    if (has_room && *place.link == NULL) {
        *place.link = memory_zalloc(sizeof(**place.link));
        (*place.link)->network = place.network;
    }
    if (has_room)
        (*place.link)->connections++;
    pthread_mutex_unlock(place.lock);
    return has_room;
}

void address_counts_remove(struct address_counts *counts, const struct ip_address *ip)
{
    struct place place = place_lock(counts, ip);
    struct entry *entry = *place.link;
    CHECK(entry != NULL);
    entry->connections--;
    if (entry->connections == 0) {
        *place.link = entry->next;
        free(entry);
    }
    pthread_mutex_unlock(place.lock);
}

uint32_t address_counts_get(struct address_counts *counts, const struct ip_address *ip)
{
    struct place place = place_lock(counts, ip);
    uint32_t connections = *place.link != NULL ? (*place.link)->connections : 0;
    pthread_mutex_unlock(place.lock);
    return connections;
}
