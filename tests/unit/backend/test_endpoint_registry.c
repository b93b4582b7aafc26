#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <pthread.h>

#include <cmocka.h>

#include "proxy/backend/endpoint_registry.h"

enum { MANY = 5000 };

static struct endpoint_state *get(struct endpoint_registry *registry, const char *backend, int port,
                                  int protocol)
{
    char text[32];
    struct address address;
    int length = snprintf(text, sizeof(text), "127.0.0.1:%d", port);
    struct strview view = strview_make(text, (size_t)length);
    assert_true(address_parse(view, &address));
    const struct endpoint_key key = {.backend_name = strview_of(backend),
                                     .address_text = view,
                                     .address = address,
                                     .protocol = protocol};
    return endpoint_registry_get(registry, &key);
}

static void what_was_learned_about_an_endpoint_is_found_again(void **state)
{
    (void)state;
    struct endpoint_registry *registry = endpoint_registry_new();
    struct endpoint_state *endpoint = get(registry, "users", 3000, 1);
    atomic_store(&endpoint->failures_in_row, 3);
    assert_ptr_equal(get(registry, "users", 3000, 1), endpoint);
    assert_int_equal(atomic_load(&endpoint->failures_in_row), 3);
    assert_int_equal(address_port(&endpoint->address), 3000);
    assert_true(strview_equal(endpoint->backend_name, STRVIEW("users")));
    assert_true(strview_equal(endpoint->address_text, STRVIEW("127.0.0.1:3000")));
    endpoint_registry_free(registry);
}

static void backend_address_and_protocol_tell_endpoints_apart(void **state)
{
    (void)state;
    struct endpoint_registry *registry = endpoint_registry_new();
    struct endpoint_state *endpoints[] = {
        get(registry, "users", 3000, 0), get(registry, "users", 3000, 1),
        get(registry, "users", 3001, 0), get(registry, "posts", 3000, 0),
        get(registry, "", 3000, 0),
    };
    enum { COUNT = sizeof(endpoints) / sizeof(endpoints[0]) };
    for (uint32_t i = 0; i < COUNT; i++)
        assert_int_equal(endpoints[i]->id, i);
    assert_int_equal(endpoint_registry_count(registry), COUNT);
    endpoint_registry_free(registry);
}

static void ids_are_dense_and_states_never_move(void **state)
{
    (void)state;
    static struct endpoint_state *endpoints[MANY];
    struct endpoint_registry *registry = endpoint_registry_new();
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < MANY; i++) {
            struct endpoint_state *endpoint = get(registry, "b", 1 + i, 0);
            assert_int_equal(endpoint->id, i);
            assert_true(round == 0 || endpoint == endpoints[i]);
            endpoints[i] = endpoint;
        }
    }
    assert_int_equal(endpoint_registry_count(registry), MANY);
    for (uint32_t i = 0; i < MANY; i++)
        assert_ptr_equal(endpoint_registry_at(registry, i), endpoints[i]);
    endpoint_registry_free(registry);
}

/* A worker looks at all that there are, again and again, while control adds. */
static void *run_worker(void *argument)
{
    struct endpoint_registry *registry = argument;
    uint32_t count = 0;
    while (count < MANY) {
        count = endpoint_registry_count(registry);
        for (uint32_t i = count > 50 ? count - 50 : 0; i < count; i++) {
            struct endpoint_state *endpoint = endpoint_registry_at(registry, i);
            if (endpoint->id != i || endpoint->address_text.length == 0)
                return NULL;
        }
    }
    return registry;
}

static void workers_read_while_control_adds(void **state)
{
    (void)state;
    struct endpoint_registry *registry = endpoint_registry_new();
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, run_worker, registry), 0);
    for (int i = 0; i < MANY; i++)
        get(registry, "b", 1 + i, 0);
    void *result = NULL;
    pthread_join(thread, &result);
    assert_ptr_equal(result, registry);
    endpoint_registry_free(registry);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_learned_about_an_endpoint_is_found_again),
        cmocka_unit_test(backend_address_and_protocol_tell_endpoints_apart),
        cmocka_unit_test(ids_are_dense_and_states_never_move),
        cmocka_unit_test(workers_read_while_control_adds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
