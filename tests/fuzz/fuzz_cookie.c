/*
 * The value of a Cookie field: which pin it holds, which side it asks for, and what of it a backend
 * sees. A pin that is believed is one that we would sign; nothing of ours is forwarded, and all
 * else is, in order.
 */
#include "tests/fuzz/fuzz.h"

#include "proxy/core/check.h"
#include "proxy/routing/override.h"
#include "proxy/routing/pin.h"

enum { NOW_MS = 1700000000 };

static const struct pin_keys keys = {.count = 2, .keys = {{1, 2, 3}, {4, 5, 6}}};
static const struct module module = {
    .name = {"users", 5},
    .stage = STAGE_RAMP,
    .pin_ms = 3000,
    .pin_cookie = {"strangler_pin_users", 19},
    .pin_group_cookie = {"strangler_pin_group.forum", 25},
};

static bool signs_it(struct strview cookie, struct strview value, const struct pin *pin)
{
    for (uint32_t i = 0; i < keys.count; i++) {
        struct pin_keys one = {.count = 1};
        char ours[PIN_VALUE_BYTES];
        memcpy(one.keys[0], keys.keys[i], PIN_KEY_BYTES);
        CHECK(pin_sign(&one, cookie, pin, ours));
        if (strview_equal(strview_make(ours, sizeof(ours)), value))
            return true;
    }
    return false;
}

static void check_pin(const struct headers *headers)
{
    struct pin pin = {.side = SIDE_NONE};
    enum pin_verdict verdict = pin_of_request(&keys, &module, headers, NOW_MS, &pin);
    CHECK((verdict == PIN_GOOD) == (pin.side != SIDE_NONE));
    if (verdict != PIN_GOOD)
        return;
    CHECK(pin.expires_ms > NOW_MS);
    struct strview own = STRVIEW_NONE;
    struct strview group = STRVIEW_NONE;
    bool found = headers_find_cookie(headers, module.pin_cookie, &own) &&
                 signs_it(module.pin_cookie, own, &pin);
    found = found || (headers_find_cookie(headers, module.pin_group_cookie, &group) &&
                      signs_it(module.pin_group_cookie, group, &pin));
    CHECK(found);
}

static bool is_ours(struct strview pair)
{
    struct strview name = cookie_name(pair);
    return strview_starts_with(name, STRVIEW("strangler_pin_")) ||
           strview_equal(name, STRVIEW("side"));
}

static bool next_foreign(struct strview *list, struct strview *ret_pair)
{
    while (cookie_next(list, ret_pair)) {
        if (!is_ours(*ret_pair))
            return true;
    }
    return false;
}

static void check_forwarded(const struct request_head *request, struct arena *arena)
{
    static const uint8_t random[FORWARDING_RANDOM_BYTES];
    const struct forwarding_facts facts = {
        .dropped_cookie = STRVIEW("side"), .version = STRVIEW("2.0"), .random = random};
    struct headers forwarded;
    struct forwarding_result result;
    forwarding_request(request, &facts, arena, &forwarded, &result);
    const struct header_field *field = headers_find(&forwarded, HEADER_COOKIE);
    struct strview before = request->headers.fields[0].value;
    struct strview after = field != NULL ? field->value : STRVIEW_NONE;
    struct strview wanted;
    struct strview sent;
    while (next_foreign(&before, &wanted)) {
        CHECK(cookie_next(&after, &sent));
        CHECK(strview_equal(wanted, sent));
    }
    CHECK(!cookie_next(&after, &sent));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    arena_init(&arena, NULL);
    struct request_head request = {.method = METHOD_GET};
    headers_add(&request.headers, &arena, HEADER_COOKIE, STRVIEW("cookie"),
                strview_make((const char *)data, size));
    check_pin(&request.headers);
    check_forwarded(&request, &arena);
    const struct override_rules rules = {.cookie = STRVIEW("side")};
    const struct ip_address client = {{0}};
    enum side side = SIDE_NONE;
    CHECK(override_of_request(&rules, &request.headers, &client, &side) != OVERRIDE_GOOD);
    arena_done(&arena);
    return 0;
}
