#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "proxy/backend/balancer.h"
#include "proxy/backend/endpoint_registry.h"

enum { ENDPOINTS = 5, NOW_MS = 1000000 };

struct fixture {
    struct io io;
    struct backend_pools pools;
    struct endpoint_registry *registry;
    struct endpoint_state *endpoints[ENDPOINTS];
    struct backend backend;
    struct balance_facts facts;
};

/* The first `count` endpoints with these weights. */
static void use_endpoints(struct fixture *f, uint32_t count, const uint32_t *weights)
{
    struct endpoint_slot slots[ENDPOINTS] = {{.weight = 0}};
    for (uint32_t i = 0; i < count; i++) {
        slots[i].state = f->endpoints[i];
        slots[i].weight = weights[i];
    }
    endpoint_set_free(f->backend.endpoints);
    f->backend.endpoints = endpoint_set_new(slots, count);
}

static int set_up(void **state)
{
    static struct fixture fixture;
    struct fixture *f = &fixture;
    io_init(&f->io);
    backend_pools_init(&f->pools, &f->io, 1 << 20);
    f->registry = endpoint_registry_new();
    for (int i = 0; i < ENDPOINTS; i++) {
        char text[32];
        struct address address;
        int length = snprintf(text, sizeof(text), "127.0.0.1:%d", 3000 + i);
        struct strview view = strview_make(text, (size_t)length);
        assert_true(address_parse(view, &address));
        const struct endpoint_key key = {
            .backend_name = STRVIEW("b"), .address_text = view, .address = address};
        f->endpoints[i] = endpoint_registry_get(f->registry, &key);
    }
    f->backend = (struct backend){.name = STRVIEW("b"), .balance = BALANCE_TWO_CHOICES};
    use_endpoints(f, ENDPOINTS, (const uint32_t[ENDPOINTS]){1, 1, 1, 1, 1});
    f->facts = (struct balance_facts){.now_ms = NOW_MS, .may_fail = true};
    *state = f;
    return 0;
}

static void set_in_flight(struct fixture *f, int endpoint, uint32_t count)
{
    backend_pools_get(&f->pools, f->endpoints[endpoint])->in_flight = count;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < ENDPOINTS; i++)
        set_in_flight(f, i, 0);
    backend_pools_done(&f->pools);
    endpoint_set_free(f->backend.endpoints);
    endpoint_registry_free(f->registry);
    io_done(&f->io);
    return 0;
}

static void set_down(struct fixture *f, int endpoint)
{
    atomic_store(&f->endpoints[endpoint]->down_until_ms, NOW_MS + 1);
}

/* splitmix64 of a number: all bits look random, and are the same each time. */
static uint64_t random_of(uint64_t number)
{
    uint64_t x = (number + 1) * 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

static int pick(struct fixture *f, uint64_t random)
{
    f->facts.random = random;
    f->facts.key = random_of(~random);
    const struct endpoint_state *picked = balancer_pick(&f->backend, &f->pools, &f->facts);
    for (int i = 0; i < ENDPOINTS; i++) {
        if (picked == f->endpoints[i])
            return i;
    }
    fail();
    return -1;
}

/* How often each endpoint is picked in `count` tries. */
static void pick_often(struct fixture *f, uint32_t count, uint32_t ret_counts[static ENDPOINTS])
{
    for (int i = 0; i < ENDPOINTS; i++)
        ret_counts[i] = 0;
    for (uint32_t i = 0; i < count; i++)
        ret_counts[pick(f, random_of(i))]++;
}

static const enum balance policies[] = {BALANCE_TWO_CHOICES, BALANCE_ROUND_ROBIN,
                                        BALANCE_LEAST_IN_FLIGHT, BALANCE_HASH};

enum { POLICIES = sizeof(policies) / sizeof(policies[0]) };

static void a_single_endpoint_is_always_picked(void **state)
{
    struct fixture *f = *state;
    use_endpoints(f, 1, (const uint32_t[]){7});
    set_down(f, 0);
    f->facts.tried = f->endpoints[0];
    for (int i = 0; i < POLICIES; i++) {
        f->backend.balance = policies[i];
        assert_int_equal(pick(f, random_of((uint64_t)i)), 0);
    }
}

static void idle_endpoints_share_evenly_under_every_policy(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < POLICIES; i++) {
        uint32_t counts[ENDPOINTS];
        f->backend.balance = policies[i];
        pick_often(f, 10000, counts);
        for (int j = 0; j < ENDPOINTS; j++)
            assert_in_range(counts[j], 1800, 2200);
    }
}

static void two_choices_takes_the_one_with_less_in_flight(void **state)
{
    struct fixture *f = *state;
    uint32_t counts[ENDPOINTS];
    for (int i = 0; i < ENDPOINTS; i++)
        set_in_flight(f, i, (uint32_t)i * 10);
    pick_often(f, 10000, counts);
    /* Of the 20 ordered pairs of five, endpoint 0 wins 8, 1 wins 6, 2 wins 4, 3 wins 2, 4 none. */
    for (int i = 0; i < ENDPOINTS; i++) {
        uint32_t expected = (uint32_t)(ENDPOINTS - 1 - i) * 1000;
        assert_in_range(counts[i], expected > 200 ? expected - 200 : 0, expected + 200);
    }
    assert_int_equal(counts[ENDPOINTS - 1], 0);
}

static void what_was_tried_or_is_down_is_avoided_while_there_is_another(void **state)
{
    struct fixture *f = *state;
    f->facts.tried = f->endpoints[1];
    set_down(f, 0);
    set_down(f, 3);
    set_in_flight(f, 2, 1000);
    set_in_flight(f, 4, 1000);
    for (int i = 0; i < POLICIES; i++) {
        uint32_t counts[ENDPOINTS];
        f->backend.balance = policies[i];
        pick_often(f, 1000, counts);
        assert_int_equal(counts[0] + counts[1] + counts[3], 0);
        assert_true(counts[2] > 0 && counts[4] > 0);
    }
}

static void one_that_hangs_is_avoided_under_every_policy_without_being_closed(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 2; i++) {
        struct backend_pool *pool = backend_pools_get(&f->pools, f->endpoints[i]);
        for (int j = 0; j < SILENCE_ASKED; j++)
            silence_asked(&pool->silence, NOW_MS);
        pool->in_flight = SILENCE_ASKED;
    }
    f->facts.now_ms = NOW_MS + 2 * SILENCE_LEAST_MS;
    set_down(f, 1); /* and is worse off than silent */
    atomic_store(&f->endpoints[1]->down_until_ms, UINT64_MAX);
    for (int i = 0; i < POLICIES; i++) {
        uint32_t counts[ENDPOINTS];
        f->backend.balance = policies[i];
        use_endpoints(f, ENDPOINTS, (const uint32_t[ENDPOINTS]){1, 1, 1, 1, 1});
        pick_often(f, 1000, counts);
        assert_int_equal(counts[0] + counts[1], 0);
        use_endpoints(f, 2, (const uint32_t[]){1, 1});
        pick_often(f, 100, counts);
        assert_int_equal(counts[0], 100);
    }
}

static void of_two_the_other_one_is_picked_after_a_try(void **state)
{
    struct fixture *f = *state;
    use_endpoints(f, 2, (const uint32_t[]){1, 1});
    f->facts.tried = f->endpoints[0];
    for (int i = 0; i < POLICIES; i++) {
        f->backend.balance = policies[i];
        for (uint64_t j = 0; j < 100; j++)
            assert_int_equal(pick(f, random_of(j)), 1);
    }
}

static void one_that_is_down_is_better_than_the_one_that_just_failed(void **state)
{
    struct fixture *f = *state;
    use_endpoints(f, 2, (const uint32_t[]){1, 1});
    f->facts.tried = f->endpoints[0];
    set_down(f, 1);
    set_in_flight(f, 1, 100);
    for (int i = 0; i < POLICIES; i++) {
        f->backend.balance = policies[i];
        for (uint64_t j = 0; j < 100; j++)
            assert_int_equal(pick(f, random_of(j)), 1);
    }
}

static void when_all_are_down_one_is_tried_all_the_same(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < ENDPOINTS; i++)
        set_down(f, i);
    f->facts.tried = f->endpoints[2];
    for (int i = 0; i < POLICIES; i++) {
        uint32_t counts[ENDPOINTS];
        f->backend.balance = policies[i];
        pick_often(f, 1000, counts);
        assert_int_equal(counts[2], 0);
        for (int j = 0; j < ENDPOINTS; j++)
            assert_true(j == 2 || counts[j] > 100);
    }
}

static void an_endpoint_comes_back_when_its_time_is_over(void **state)
{
    struct fixture *f = *state;
    uint32_t counts[ENDPOINTS];
    set_down(f, 0);
    f->facts.now_ms = NOW_MS + 1;
    pick_often(f, 1000, counts);
    assert_true(counts[0] > 100);
}

static void round_robin_goes_in_order_as_long_as_loads_are_alike(void **state)
{
    struct fixture *f = *state;
    f->backend.balance = BALANCE_ROUND_ROBIN;
    for (int i = 0; i < ENDPOINTS; i++)
        set_in_flight(f, i, i == 1 ? 500 : 250);
    int first = pick(f, 1);
    for (int i = 1; i < 100; i++)
        assert_int_equal(pick(f, random_of((uint64_t)i)), (first + i) % ENDPOINTS);
}

static void check_passed_over(struct fixture *f, uint32_t in_flight, bool passed_over)
{
    uint32_t counts[ENDPOINTS];
    set_in_flight(f, 1, in_flight);
    pick_often(f, 1000, counts);
    assert_int_equal(counts[1] == 0, passed_over);
    assert_true(counts[0] > 0);
}

static void round_robin_passes_over_an_endpoint_where_requests_pile_up(void **state)
{
    struct fixture *f = *state;
    f->backend.balance = BALANCE_ROUND_ROBIN;
    check_passed_over(f, 3, false); /* so few say nothing */
    check_passed_over(f, 4, true);
    for (int i = 0; i < ENDPOINTS; i++)
        set_in_flight(f, i, 10);
    check_passed_over(f, 20, false);
    check_passed_over(f, 21, true);
    use_endpoints(f, 2, (const uint32_t[]){1, 3});
    check_passed_over(f, 60, false);
    check_passed_over(f, 61, true);
}

static void least_in_flight_takes_the_least_used_of_all(void **state)
{
    struct fixture *f = *state;
    f->backend.balance = BALANCE_LEAST_IN_FLIGHT;
    for (int i = 0; i < ENDPOINTS; i++)
        set_in_flight(f, i, i == 3 ? 4 : 5);
    for (uint64_t i = 0; i < 100; i++)
        assert_int_equal(pick(f, random_of(i)), 3);
}

static void weights_are_shares_under_every_policy(void **state)
{
    struct fixture *f = *state;
    static const uint32_t weights[ENDPOINTS] = {400, 300, 200, 100, 0};
    for (int i = 0; i < POLICIES; i++) {
        if (policies[i] == BALANCE_LEAST_IN_FLIGHT || policies[i] == BALANCE_TWO_CHOICES)
            continue; /* these share by load, see below */
        uint32_t counts[ENDPOINTS];
        f->backend.balance = policies[i];
        use_endpoints(f, ENDPOINTS, weights);
        pick_often(f, 10000, counts);
        for (int j = 0; j < ENDPOINTS; j++) {
            uint32_t share = weights[j] * 10;
            assert_in_range(counts[j], share - share / 10, share + share / 10);
        }
    }
}

/* Requests that never end: what is in flight becomes what the weights say. */
static void weights_are_shares_of_what_is_in_flight(void **state)
{
    struct fixture *f = *state;
    static const uint32_t weights[ENDPOINTS] = {8, 4, 2, 2, 0};
    static const enum balance by_load[] = {BALANCE_LEAST_IN_FLIGHT, BALANCE_TWO_CHOICES};
    for (int i = 0; i < 2; i++) {
        f->backend.balance = by_load[i];
        use_endpoints(f, ENDPOINTS, weights);
        for (int j = 0; j < ENDPOINTS; j++)
            set_in_flight(f, j, 0);
        for (uint64_t j = 0; j < 1600; j++)
            backend_pools_get(&f->pools, f->endpoints[pick(f, random_of(j))])->in_flight++;
        for (int j = 0; j < ENDPOINTS; j++) {
            uint32_t in_flight = backend_pools_get(&f->pools, f->endpoints[j])->in_flight;
            assert_in_range(in_flight, weights[j] * 95, weights[j] * 105);
        }
    }
}

static void a_heavy_endpoint_does_not_get_its_share_in_one_burst(void **state)
{
    struct fixture *f = *state;
    static const int order[] = {0, 0, 1, 0, 2, 0, 0}; /* as nginx does it with 5, 1, 1 */
    f->backend.balance = BALANCE_ROUND_ROBIN;
    use_endpoints(f, 3, (const uint32_t[]){5, 1, 1});
    for (int i = 0; i < 70; i++)
        assert_int_equal(pick(f, (uint64_t)i), order[i % 7]);
}

static void round_robin_shares_evenly_what_one_in_trouble_leaves(void **state)
{
    struct fixture *f = *state;
    uint32_t counts[ENDPOINTS];
    f->backend.balance = BALANCE_ROUND_ROBIN;
    set_down(f, 2);
    pick_often(f, 1000, counts);
    for (int i = 0; i < ENDPOINTS; i++)
        assert_int_equal(counts[i], i == 2 ? 0 : 250);
}

static void a_key_stays_with_its_endpoint(void **state)
{
    struct fixture *f = *state;
    f->backend.balance = BALANCE_HASH;
    for (uint64_t i = 0; i < 1000; i++) {
        int first = pick(f, i);
        for (int j = 0; j < ENDPOINTS; j++)
            set_in_flight(f, j, (uint32_t)(j == first ? i : (i + 1) / 2));
        assert_int_equal(pick(f, i), first);
        for (int j = 0; j < ENDPOINTS; j++)
            set_in_flight(f, j, 0);
    }
}

static void with_hash_a_pile_at_an_endpoint_moves_only_its_own_keys(void **state)
{
    struct fixture *f = *state;
    enum { KEYS = 500 };
    static int before[KEYS];
    uint32_t moved_to[ENDPOINTS] = {0};
    f->backend.balance = BALANCE_HASH;
    for (uint64_t i = 0; i < KEYS; i++)
        before[i] = pick(f, i);
    set_in_flight(f, 1, 15); /* so few may be one person's */
    for (uint64_t i = 0; i < KEYS; i++)
        assert_int_equal(pick(f, i), before[i]);
    set_in_flight(f, 1, 16);
    for (uint64_t i = 0; i < KEYS; i++) {
        int now = pick(f, i);
        assert_true(before[i] == 1 ? now != 1 : now == before[i]);
        moved_to[now] += before[i] == 1;
    }
    for (int i = 0; i < ENDPOINTS; i++)
        assert_true(i == 1 || moved_to[i] > 0);
    for (int i = 0; i < ENDPOINTS; i++)
        set_in_flight(f, i, i == 1 ? 40 : 20);
    for (uint64_t i = 0; i < KEYS; i++)
        assert_int_equal(pick(f, i), before[i]);
}

static void endpoints_that_take_no_requests_do_not_make_the_others_look_piled_up(void **state)
{
    struct fixture *f = *state;
    static const enum balance bounded[] = {BALANCE_HASH, BALANCE_ROUND_ROBIN};
    for (int i = 2; i < ENDPOINTS; i++)
        set_down(f, i);
    set_in_flight(f, 0, 30);
    set_in_flight(f, 1, 50);
    for (int i = 0; i < 2; i++) {
        uint32_t counts[ENDPOINTS];
        f->backend.balance = bounded[i];
        pick_often(f, 1000, counts);
        assert_in_range(counts[1], 450, 550);
    }
}

static void an_endpoint_that_goes_moves_only_its_own_keys(void **state)
{
    struct fixture *f = *state;
    static const uint32_t weights[ENDPOINTS] = {3, 1, 2, 5, 4};
    static const uint32_t without[ENDPOINTS] = {3, 1, 2, 0, 4};
    enum { KEYS = 2000 };
    static int before[KEYS];
    f->backend.balance = BALANCE_HASH;
    for (int weighted = 0; weighted < 2; weighted++) {
        use_endpoints(f, ENDPOINTS, weighted ? weights : (const uint32_t[]){1, 1, 1, 1, 1});
        for (uint64_t i = 0; i < KEYS; i++)
            before[i] = pick(f, i);
        use_endpoints(f, ENDPOINTS, weighted ? without : (const uint32_t[]){1, 1, 1, 0, 1});
        for (uint64_t i = 0; i < KEYS; i++)
            assert_true(weighted && before[i] != 3 ? pick(f, i) == before[i] : pick(f, i) != 3);
        use_endpoints(f, ENDPOINTS, weighted ? weights : (const uint32_t[]){1, 1, 1, 1, 1});
        set_down(f, 3); /* one in trouble is as good as gone, for a while */
        for (uint64_t i = 0; i < KEYS; i++)
            assert_true(before[i] == 3 ? pick(f, i) != 3 : pick(f, i) == before[i]);
        atomic_store(&f->endpoints[3]->down_until_ms, 0);
    }
}

static void without_a_known_endpoint_nothing_is_picked(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < POLICIES; i++) {
        f->backend.balance = policies[i];
        use_endpoints(f, 0, NULL);
        assert_null(balancer_pick(&f->backend, &f->pools, &f->facts));
        use_endpoints(f, 1, (const uint32_t[]){0});
        assert_null(balancer_pick(&f->backend, &f->pools, &f->facts));
        use_endpoints(f, 3, (const uint32_t[]){0, 0, 0});
        assert_null(balancer_pick(&f->backend, &f->pools, &f->facts));
    }
}

static void the_only_endpoint_with_a_weight_takes_all(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < POLICIES; i++) {
        f->backend.balance = policies[i];
        use_endpoints(f, 3, (const uint32_t[]){0, 9, 0});
        for (uint64_t j = 0; j < 100; j++)
            assert_int_equal(pick(f, random_of(j)), 1);
        f->facts.tried = f->endpoints[1];
        set_down(f, 1);
        assert_int_equal(pick(f, 1), 1);
        f->facts.tried = NULL;
        atomic_store(&f->endpoints[1]->down_until_ms, 0);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_single_endpoint_is_always_picked),
        TEST(idle_endpoints_share_evenly_under_every_policy),
        TEST(two_choices_takes_the_one_with_less_in_flight),
        TEST(what_was_tried_or_is_down_is_avoided_while_there_is_another),
        TEST(one_that_hangs_is_avoided_under_every_policy_without_being_closed),
        TEST(of_two_the_other_one_is_picked_after_a_try),
        TEST(one_that_is_down_is_better_than_the_one_that_just_failed),
        TEST(when_all_are_down_one_is_tried_all_the_same),
        TEST(an_endpoint_comes_back_when_its_time_is_over),
        TEST(round_robin_goes_in_order_as_long_as_loads_are_alike),
        TEST(round_robin_passes_over_an_endpoint_where_requests_pile_up),
        TEST(least_in_flight_takes_the_least_used_of_all),
        TEST(weights_are_shares_under_every_policy),
        TEST(weights_are_shares_of_what_is_in_flight),
        TEST(a_heavy_endpoint_does_not_get_its_share_in_one_burst),
        TEST(round_robin_shares_evenly_what_one_in_trouble_leaves),
        TEST(a_key_stays_with_its_endpoint),
        TEST(with_hash_a_pile_at_an_endpoint_moves_only_its_own_keys),
        TEST(endpoints_that_take_no_requests_do_not_make_the_others_look_piled_up),
        TEST(an_endpoint_that_goes_moves_only_its_own_keys),
        TEST(without_a_known_endpoint_nothing_is_picked),
        TEST(the_only_endpoint_with_a_weight_takes_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
