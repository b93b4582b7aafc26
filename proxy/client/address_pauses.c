#include "proxy/client/address_pauses.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "proxy/core/array.h"
#include "proxy/core/check.h"

/* An address may stand anywhere in its set. */
enum { WAYS = 8, SETS = ADDRESS_PAUSES_MAX / WAYS };

struct note {
    uint64_t network;
    uint64_t noted_ms;  /* the last end; 0: the place is free */
    uint64_t window_ms; /* when the ends that are counted began */
    uint64_t paused_ms; /* when the last pause began */
    uint32_t pause_ms;  /* and how long it was; 0: there was none */
    uint32_t ends;
};

struct address_pauses {
    uint64_t seed;
    _Atomic uint64_t last_ms; /* by then all pauses are over */
    pthread_mutex_t lock;
    struct note sets[SETS][WAYS];
};

static struct note *set_of(struct address_pauses *pauses, uint64_t network)
{
    return pauses->sets[XXH3_64bits_withSeed(&network, sizeof(network), pauses->seed) % SETS];
}

/* NULL: nothing is known of it. */
static struct note *find(struct note *set, uint64_t network)
{
    for (size_t i = 0; i < WAYS; i++) {
        if (set[i].noted_ms != 0 && set[i].network == network)
            return &set[i];
    }
    return NULL;
}

static struct note *replace_oldest(struct note *set, uint64_t network)
{
    struct note *oldest = set;
    for (size_t i = 1; i < WAYS; i++) {
        if (set[i].noted_ms < oldest->noted_ms)
            oldest = &set[i];
    }
    *oldest = (struct note){.network = network};
    return oldest;
}

static uint64_t end_of_pause(const struct note *note, uint32_t longest_ms)
{
    return note->paused_ms + (note->pause_ms < longest_ms ? note->pause_ms : longest_ms);
}

static bool is_paused(const struct note *note, uint32_t longest_ms, uint64_t now_ms)
{
    return note->pause_ms > 0 && now_ms < end_of_pause(note, longest_ms);
}

static uint32_t next_pause(const struct note *note, uint32_t longest_ms, uint64_t now_ms)
{
    uint64_t pause_ms = ADDRESS_PAUSE_FIRST_MS;
    if (note->pause_ms > 0 && now_ms < end_of_pause(note, longest_ms) + ADDRESS_PAUSE_CALM_MS)
        pause_ms = 2 * (uint64_t)note->pause_ms;
    return pause_ms < longest_ms ? (uint32_t)pause_ms : longest_ms;
}

/* Workers read their clocks at different moments: `now_ms` may be a little before what is noted. */
static bool is_enough(struct note *note, uint64_t now_ms)
{
    if (now_ms > note->window_ms + ADDRESS_PAUSE_WINDOW_MS) {
        note->window_ms = now_ms;
        note->ends = 0;
    }
    return ++note->ends >= ADDRESS_PAUSE_ENDS;
}

static uint32_t note_end(struct note *note, uint32_t longest_ms, uint64_t now_ms)
{
    if (is_paused(note, longest_ms, now_ms))
        return 0;
    note->noted_ms = now_ms;
    if (!is_enough(note, now_ms))
        return 0;
    note->pause_ms = next_pause(note, longest_ms, now_ms);
    note->paused_ms = now_ms;
    note->ends = 0;
    return note->pause_ms;
}

struct address_pauses *address_pauses_new(uint64_t seed)
{
    struct address_pauses *pauses = memory_zalloc(sizeof(*pauses));
    pauses->seed = seed;
    CHECK(pthread_mutex_init(&pauses->lock, NULL) == 0);
    return pauses;
}

void address_pauses_free(struct address_pauses *pauses)
{
    pthread_mutex_destroy(&pauses->lock);
    free(pauses);
}

uint32_t address_pauses_note(struct address_pauses *pauses, const struct ip_address *ip,
                             uint32_t longest_ms, uint64_t now_ms)
{
    if (longest_ms == 0)
        return 0;
    uint64_t network = ip_network(ip);
    pthread_mutex_lock(&pauses->lock);
    struct note *set = set_of(pauses, network);
    struct note *note = find(set, network);
    if (note == NULL)
        note = replace_oldest(set, network);
    uint32_t pause_ms = note_end(note, longest_ms, now_ms);
    uint64_t last_ms = atomic_load_explicit(&pauses->last_ms, memory_order_relaxed);
    if (pause_ms > 0 && now_ms + pause_ms > last_ms)
        atomic_store_explicit(&pauses->last_ms, now_ms + pause_ms, memory_order_relaxed);
    pthread_mutex_unlock(&pauses->lock);
    return pause_ms;
}

static bool may_be_paused(const struct address_pauses *pauses, uint64_t now_ms)
{
    return now_ms < atomic_load_explicit(&pauses->last_ms, memory_order_relaxed);
}

bool address_pauses_has(struct address_pauses *pauses, const struct ip_address *ip,
                        uint32_t longest_ms, uint64_t now_ms)
{
    if (!may_be_paused(pauses, now_ms))
        return false;
    uint64_t network = ip_network(ip);
    pthread_mutex_lock(&pauses->lock);
    const struct note *note = find(set_of(pauses, network), network);
    bool has = note != NULL && is_paused(note, longest_ms, now_ms);
    pthread_mutex_unlock(&pauses->lock);
    return has;
}

uint32_t address_pauses_count(struct address_pauses *pauses, uint32_t longest_ms, uint64_t now_ms)
{
    if (!may_be_paused(pauses, now_ms))
        return 0;
    uint32_t count = 0;
    pthread_mutex_lock(&pauses->lock);
    for (size_t i = 0; i < SETS; i++) {
        for (size_t j = 0; j < WAYS; j++)
            count += is_paused(&pauses->sets[i][j], longest_ms, now_ms);
    }
    pthread_mutex_unlock(&pauses->lock);
    return count;
}
