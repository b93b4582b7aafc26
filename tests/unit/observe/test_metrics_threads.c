/* A worker counts while control reads: no lock, no torn value, nothing lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <pthread.h>
#include <stdatomic.h>

#include <cmocka.h>

#include "proxy/observe/metrics.h"

enum { WORKERS = 2, ROUNDS = 20000, COUNTERS = 7 };

/* In different chunks and pages, so that these are made while others read. */
static uint32_t id_of(uint32_t counter)
{
    return counter * (METRICS_CHUNK * METRICS_PAGE / 3 + 1);
}

struct worker {
    pthread_t thread;
    struct metrics_shard *shard;
    _Atomic bool done;
};

static void *run_worker(void *argument)
{
    struct worker *worker = argument;
    for (uint32_t i = 0; i < ROUNDS; i++) {
        metrics_add(worker->shard, id_of(i % COUNTERS), 1);
        metrics_gauge_add(&worker->shard->gauges.live_exchanges, i % 2 == 0 ? 1 : -1);
    }
    worker->done = true;
    return NULL;
}

static void read_while_it_counts(struct worker *worker)
{
    uint64_t last[COUNTERS] = {0};
    while (!worker->done) {
        for (uint32_t i = 0; i < COUNTERS; i++) {
            uint64_t value = metrics_read(worker->shard, id_of(i));
            assert_true(value >= last[i]);
            last[i] = value;
        }
        int64_t live = atomic_load(&worker->shard->gauges.live_exchanges);
        assert_true(live == 0 || live == 1);
    }
}

static void a_reader_sees_counters_grow_and_in_the_end_all_of_them(void **state)
{
    (void)state;
    struct worker workers[WORKERS] = {{0}};
    for (int i = 0; i < WORKERS; i++) {
        workers[i].shard = metrics_shard_new();
        assert_int_equal(pthread_create(&workers[i].thread, NULL, run_worker, &workers[i]), 0);
    }
    for (int i = 0; i < WORKERS; i++)
        read_while_it_counts(&workers[i]);
    for (int i = 0; i < WORKERS; i++) {
        pthread_join(workers[i].thread, NULL);
        uint64_t sum = 0;
        for (uint32_t j = 0; j < COUNTERS; j++)
            sum += metrics_read(workers[i].shard, id_of(j));
        assert_int_equal(sum, ROUNDS);
        assert_int_equal(atomic_load(&workers[i].shard->gauges.live_exchanges), 0);
        metrics_shard_free(workers[i].shard);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reader_sees_counters_grow_and_in_the_end_all_of_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
