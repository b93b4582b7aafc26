/* A second reference, the test's own, tells whether the lease's is still there. The address
 * sanitizer tells whether a lease was freed, and only once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdatomic.h>

#include <cmocka.h>

#include "proxy/core/array.h"
#include "proxy/exchange/snapshot_lease.h"

enum { EXCHANGES = 3, STEPS = EXCHANGES + 1 };

struct fixture {
    struct snapshot *snapshot;
    struct list leases;
    struct snapshot_lease *lease;
};

static void begin(struct fixture *f)
{
    f->snapshot = memory_zalloc(sizeof(*f->snapshot));
    arena_init(&f->snapshot->arena, NULL);
    atomic_store(&f->snapshot->references, 1);
    list_init(&f->leases);
    f->lease = snapshot_lease_new_take(snapshot_ref(f->snapshot), &f->leases);
}

static uint32_t references(const struct fixture *f)
{
    return atomic_load(&f->snapshot->references);
}

static void end(struct fixture *f)
{
    assert_int_equal(references(f), 1);
    snapshot_unref(f->snapshot);
}

static void a_lease_takes_the_callers_reference_and_no_other(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    assert_int_equal(references(&f), 2);
    assert_ptr_equal(snapshot_lease_hold(f.lease), f.lease);
    assert_int_equal(references(&f), 2);
    snapshot_lease_drop(f.lease);
    snapshot_lease_retire(f.lease);
    end(&f);
}

static void an_unused_lease_goes_when_it_is_retired(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    snapshot_lease_retire(f.lease);
    end(&f);
}

static void a_current_lease_stays_without_exchanges(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    for (int i = 0; i < 10; i++) {
        snapshot_lease_hold(f.lease);
        snapshot_lease_drop(f.lease);
        assert_int_equal(references(&f), 2);
    }
    snapshot_lease_retire(f.lease);
    end(&f);
}

/* The lease is retired as step `retired_at`, the other steps end an exchange each. */
static void run_order(int retired_at)
{
    struct fixture f;
    begin(&f);
    for (int i = 0; i < EXCHANGES; i++)
        snapshot_lease_hold(f.lease);
    for (int step = 0; step < STEPS; step++) {
        assert_int_equal(references(&f), 2);
        if (step == retired_at)
            snapshot_lease_retire(f.lease);
        else
            snapshot_lease_drop(f.lease);
    }
    end(&f);
}

static void the_last_of_retiring_and_ending_gives_the_reference_back(void **state)
{
    (void)state;
    for (int retired_at = 0; retired_at < STEPS; retired_at++)
        run_order(retired_at);
}

static void two_leases_on_one_snapshot_go_on_their_own(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    struct snapshot_lease *other = snapshot_lease_new_take(snapshot_ref(f.snapshot), &f.leases);
    snapshot_lease_hold(other);
    snapshot_lease_retire(other);
    snapshot_lease_retire(f.lease);
    assert_int_equal(references(&f), 2);
    snapshot_lease_drop(other);
    end(&f);
}

static void writes_are_counted_by_module_over_all_leases(void **state)
{
    (void)state;
    struct fixture f;
    f.snapshot = memory_zalloc(sizeof(*f.snapshot));
    arena_init(&f.snapshot->arena, NULL);
    atomic_store(&f.snapshot->references, 1);
    f.snapshot->modules = module_table_new(2);
    f.snapshot->modules->modules[0].name = STRVIEW("users");
    f.snapshot->modules->modules[1].name = STRVIEW("posts");
    list_init(&f.leases);
    struct snapshot_lease *old = snapshot_lease_new_take(snapshot_ref(f.snapshot), &f.leases);
    f.lease = snapshot_lease_new_take(snapshot_ref(f.snapshot), &f.leases);
    snapshot_lease_hold(old)->writes[1] = 2;
    f.lease->writes[1] = 1;
    f.lease->writes[0] = 5;
    snapshot_lease_retire(old);
    assert_int_equal(snapshot_leases_count_writes(&f.leases, STRVIEW("posts")), 3);
    assert_int_equal(snapshot_leases_count_writes(&f.leases, STRVIEW("nobody")), 0);
    snapshot_lease_drop(old);
    assert_int_equal(snapshot_leases_count_writes(&f.leases, STRVIEW("posts")), 1);
    snapshot_lease_retire(f.lease);
    assert_true(list_is_empty(&f.leases));
    end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lease_takes_the_callers_reference_and_no_other),
        cmocka_unit_test(an_unused_lease_goes_when_it_is_retired),
        cmocka_unit_test(a_current_lease_stays_without_exchanges),
        cmocka_unit_test(the_last_of_retiring_and_ending_gives_the_reference_back),
        cmocka_unit_test(two_leases_on_one_snapshot_go_on_their_own),
        cmocka_unit_test(writes_are_counted_by_module_over_all_leases),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
