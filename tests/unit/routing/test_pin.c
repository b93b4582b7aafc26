/* The cookie that holds a client on one side: what is signed, for how long, and for whom. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proxy/routing/pin.h"

enum { NOW_MS = 1700000000, LIFE_MS = 3000 };

#define COOKIE STRVIEW("strangler_pin_users")

static const struct pin extracted = {.side = SIDE_EXTRACTED, .expires_ms = NOW_MS + LIFE_MS};
static const struct pin legacy = {.side = SIDE_LEGACY, .expires_ms = NOW_MS + LIFE_MS};

/* Keys whose bytes are all the same. */
static struct pin_keys keys_of(uint32_t count, const uint8_t *bytes)
{
    struct pin_keys keys = {.count = count};
    for (uint32_t i = 0; i < count; i++)
        memset(keys.keys[i], bytes[i], PIN_KEY_BYTES);
    return keys;
}

static struct pin_keys key_of(uint8_t byte)
{
    return keys_of(1, &byte);
}

static enum pin_verdict verdict_of(const struct pin_keys *keys, struct strview cookie,
                                   const char *value, size_t length, uint64_t now_ms)
{
    struct pin pin = {.side = SIDE_NONE};
    enum pin_verdict verdict = pin_verify(keys, cookie, strview_make(value, length), now_ms, &pin);
    assert_int_equal(verdict == PIN_GOOD, pin.side != SIDE_NONE);
    return verdict;
}

/* A change of this would make the pins of a rolling upgrade worthless. */
static void a_known_pin_keeps_its_text(void **state)
{
    (void)state;
    struct pin_keys keys = key_of(7);
    char value[PIN_VALUE_BYTES + 1] = {0};
    assert_true(pin_sign(&keys, COOKIE, &extracted, value));
    assert_string_equal(value, "1e00006553fcb8"
                               "4a24439e62ee782c1e7f0a6d4f9d7f7c"
                               "1827221bd00a39c1ba22f5eaa6b264aa");
}

static void what_was_signed_is_read_back(void **state)
{
    (void)state;
    struct pin_keys keys = key_of(7);
    const struct pin *const pins[] = {&extracted, &legacy};
    for (size_t i = 0; i < 2; i++) {
        char value[PIN_VALUE_BYTES];
        struct pin pin;
        assert_true(pin_sign(&keys, COOKIE, pins[i], value));
        assert_int_equal(
            pin_verify(&keys, COOKIE, strview_make(value, sizeof(value)), NOW_MS, &pin), PIN_GOOD);
        assert_int_equal(pin.side, pins[i]->side);
        assert_int_equal(pin.expires_ms, pins[i]->expires_ms);
    }
}

static void a_pin_ends_on_time(void **state)
{
    (void)state;
    struct pin_keys keys = key_of(7);
    char value[PIN_VALUE_BYTES];
    assert_true(pin_sign(&keys, COOKIE, &extracted, value));
    assert_int_equal(verdict_of(&keys, COOKIE, value, sizeof(value), NOW_MS + LIFE_MS - 1),
                     PIN_GOOD);
    assert_int_equal(verdict_of(&keys, COOKIE, value, sizeof(value), NOW_MS + LIFE_MS),
                     PIN_EXPIRED);
    assert_int_equal(verdict_of(&keys, COOKIE, value, sizeof(value), UINT64_MAX), PIN_EXPIRED);
}

/* A clock that was years ahead must not hold anybody for years. */
static void a_pin_from_far_ahead_does_not_count(void **state)
{
    (void)state;
    struct pin_keys keys = key_of(7);
    const uint64_t week_ms = UINT64_C(7) * 86400 * 1000;
    struct pin pin = {.side = SIDE_EXTRACTED, .expires_ms = NOW_MS + week_ms};
    char value[PIN_VALUE_BYTES];
    assert_true(pin_sign(&keys, COOKIE, &pin, value));
    assert_int_equal(verdict_of(&keys, COOKIE, value, sizeof(value), NOW_MS), PIN_GOOD);
    assert_int_equal(verdict_of(&keys, COOKIE, value, sizeof(value), NOW_MS - 1), PIN_EXPIRED);
}

static void every_byte_counts(void **state)
{
    (void)state;
    struct pin_keys keys = key_of(7);
    char value[PIN_VALUE_BYTES];
    assert_true(pin_sign(&keys, COOKIE, &extracted, value));
    for (size_t i = 0; i < sizeof(value); i++) {
        for (int byte = 0; byte < 256; byte++) {
            char changed[PIN_VALUE_BYTES];
            memcpy(changed, value, sizeof(value));
            changed[i] = (char)byte;
            bool same = changed[i] == value[i];
            assert_int_equal(
                verdict_of(&keys, COOKIE, changed, sizeof(changed), NOW_MS) == PIN_GOOD, same);
        }
    }
}

static void another_length_is_malformed(void **state)
{
    (void)state;
    struct pin_keys keys = key_of(7);
    char value[PIN_VALUE_BYTES + 1] = {0};
    assert_true(pin_sign(&keys, COOKIE, &extracted, value));
    for (size_t length = 0; length < PIN_VALUE_BYTES; length++)
        assert_int_equal(verdict_of(&keys, COOKIE, value, length, NOW_MS), PIN_MALFORMED);
    assert_int_equal(verdict_of(&keys, COOKIE, value, sizeof(value), NOW_MS), PIN_MALFORMED);
}

static void a_pin_is_good_for_its_own_cookie_alone(void **state)
{
    (void)state;
    struct pin_keys keys = key_of(7);
    char value[PIN_VALUE_BYTES];
    assert_true(pin_sign(&keys, COOKIE, &extracted, value));
    static const char *const others[] = {"strangler_pin_posts", "strangler_pin_user",
                                         "strangler_pin_users2", "strangler_pin_group.users", ""};
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        assert_int_equal(verdict_of(&keys, strview_of(others[i]), value, sizeof(value), NOW_MS),
                         PIN_FORGED);
}

static void keys_can_be_changed_without_a_pause(void **state)
{
    (void)state;
    struct pin_keys old = key_of(1);
    struct pin_keys both = keys_of(2, (const uint8_t[]){2, 1});
    struct pin_keys new = key_of(2);
    char before[PIN_VALUE_BYTES];
    char after[PIN_VALUE_BYTES];
    assert_true(pin_sign(&old, COOKIE, &extracted, before));
    assert_true(pin_sign(&both, COOKIE, &extracted, after));
    assert_int_equal(verdict_of(&both, COOKIE, before, sizeof(before), NOW_MS), PIN_GOOD);
    assert_int_equal(verdict_of(&new, COOKIE, after, sizeof(after), NOW_MS), PIN_GOOD);
    assert_int_equal(verdict_of(&new, COOKIE, before, sizeof(before), NOW_MS), PIN_FORGED);
    assert_int_equal(verdict_of(&old, COOKIE, after, sizeof(after), NOW_MS), PIN_FORGED);
}

static void without_keys_nothing_is_signed_or_believed(void **state)
{
    (void)state;
    struct pin_keys keys = key_of(7);
    struct pin_keys none = {.count = 0};
    char value[PIN_VALUE_BYTES];
    assert_false(pin_sign(NULL, COOKIE, &extracted, value));
    assert_false(pin_sign(&none, COOKIE, &extracted, value));
    assert_true(pin_sign(&keys, COOKIE, &extracted, value));
    assert_int_equal(verdict_of(NULL, COOKIE, value, sizeof(value), NOW_MS), PIN_NO_KEYS);
    assert_int_equal(verdict_of(&none, COOKIE, value, sizeof(value), NOW_MS), PIN_NO_KEYS);
}

/* --- of a request -------------------------------------------------------------------------- */

struct asking {
    struct arena arena;
    struct pin_keys keys;
    struct module module;
    struct headers headers;
};

static int set_up(void **state)
{
    static struct asking asking;
    asking = (struct asking){
        .keys = key_of(7),
        .module = {.name = STRVIEW("users"),
                   .stage = STAGE_RAMP,
                   .pin_ms = LIFE_MS,
                   .pin_cookie = COOKIE,
                   .pin_group_cookie = STRVIEW("strangler_pin_group.forum")},
    };
    arena_init(&asking.arena, NULL);
    *state = &asking;
    return 0;
}

static int tear_down(void **state)
{
    struct asking *asking = *state;
    arena_done(&asking->arena);
    return 0;
}

static void add_pin(struct asking *asking, struct strview cookie, const struct pin *pin)
{
    char value[PIN_VALUE_BYTES];
    assert_true(pin_sign(&asking->keys, cookie, pin, value));
    headers_add(&asking->headers, &asking->arena, HEADER_COOKIE, STRVIEW("cookie"),
                arena_printf(&asking->arena, "a=b; %.*s=%.*s; c=d", STRVIEW_ARGS(cookie),
                             PIN_VALUE_BYTES, value));
}

static enum pin_verdict ask(struct asking *asking, enum side *ret_side)
{
    struct pin pin = {.side = SIDE_NONE};
    enum pin_verdict verdict =
        pin_of_request(&asking->keys, &asking->module, &asking->headers, NOW_MS, &pin);
    *ret_side = pin.side;
    return verdict;
}

static void a_modules_own_pin_counts_before_its_groups(void **state)
{
    struct asking *asking = *state;
    enum side side;
    assert_int_equal(ask(asking, &side), PIN_ABSENT);
    add_pin(asking, asking->module.pin_group_cookie, &legacy);
    assert_int_equal(ask(asking, &side), PIN_GOOD);
    assert_int_equal(side, SIDE_LEGACY);
    add_pin(asking, asking->module.pin_cookie, &extracted);
    assert_int_equal(ask(asking, &side), PIN_GOOD);
    assert_int_equal(side, SIDE_EXTRACTED);
}

static void a_bad_pin_of_its_own_leaves_the_groups(void **state)
{
    struct asking *asking = *state;
    enum side side;
    headers_add(&asking->headers, &asking->arena, HEADER_COOKIE, STRVIEW("cookie"),
                STRVIEW("strangler_pin_users=1e"));
    assert_int_equal(ask(asking, &side), PIN_MALFORMED);
    add_pin(asking, asking->module.pin_group_cookie, &extracted);
    assert_int_equal(ask(asking, &side), PIN_GOOD);
}

static void pins_of_other_modules_and_groups_do_not_count(void **state)
{
    struct asking *asking = *state;
    enum side side;
    add_pin(asking, STRVIEW("strangler_pin_posts"), &extracted);
    add_pin(asking, STRVIEW("strangler_pin_group.shop"), &extracted);
    assert_int_equal(ask(asking, &side), PIN_ABSENT);
    add_pin(asking, asking->module.pin_group_cookie, &extracted);
    asking->module.pin_group_cookie = STRVIEW_NONE;
    assert_int_equal(ask(asking, &side), PIN_ABSENT);
}

static void a_module_that_does_not_pin_is_not_held(void **state)
{
    struct asking *asking = *state;
    enum side side;
    add_pin(asking, asking->module.pin_cookie, &extracted);
    asking->module.pin_ms = 0;
    assert_int_equal(ask(asking, &side), PIN_ABSENT);
}

static void writes_that_succeed_pin(void **state)
{
    struct asking *asking = *state;
    struct module *module = &asking->module;
    static const struct {
        int status;
        bool due;
    } rows[] = {{101, false}, {200, true},  {201, true},  {303, true},
                {399, true},  {400, false}, {404, false}, {503, false}};
    for (int stage = STAGE_LEGACY; stage < STAGE_COUNT; stage++) {
        module->stage = (enum stage)stage;
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
            assert_int_equal(pin_is_due(module, rows[i].status), rows[i].due);
    }
    module->pin_ms = 0;
    assert_false(pin_is_due(module, 200));
}

static void a_retired_module_pins_for_its_group_alone(void **state)
{
    struct asking *asking = *state;
    asking->module.stage = STAGE_RETIRED;
    assert_true(pin_is_due(&asking->module, 200));
    asking->module.pin_group_cookie = STRVIEW_NONE;
    assert_false(pin_is_due(&asking->module, 200));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_known_pin_keeps_its_text),
        TEST(what_was_signed_is_read_back),
        TEST(a_pin_ends_on_time),
        TEST(a_pin_from_far_ahead_does_not_count),
        TEST(every_byte_counts),
        TEST(another_length_is_malformed),
        TEST(a_pin_is_good_for_its_own_cookie_alone),
        TEST(keys_can_be_changed_without_a_pause),
        TEST(without_keys_nothing_is_signed_or_believed),
        TEST(a_modules_own_pin_counts_before_its_groups),
        TEST(a_bad_pin_of_its_own_leaves_the_groups),
        TEST(pins_of_other_modules_and_groups_do_not_count),
        TEST(a_module_that_does_not_pin_is_not_held),
        TEST(writes_that_succeed_pin),
        TEST(a_retired_module_pins_for_its_group_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
