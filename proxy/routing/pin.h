/*
 * A pin holds a client on the side that answered its last write, so that it reads what it wrote
 * (spec: read your own writes). It is a cookie of fixed length that says side and end and is signed
 * with HMAC-SHA256 (RFC 2104); the signature covers the cookie's name, which holds the module or
 * the group. Nothing is kept here: any replica with the same keys honours it. Pure, any thread; the
 * clock is an argument.
 *
 *   1 | l or e | end, Unix ms, 12 hexadecimal digits | signature, 64 hexadecimal digits
 */
#ifndef ROUTING_PIN_H
#define ROUTING_PIN_H

#include "proxy/http/forwarding.h"
#include "proxy/routing/module_table.h"

enum {
    PIN_KEYS_MAX = 4,
    PIN_KEY_BYTES = 32,
    PIN_VALUE_BYTES = 78,
    PIN_COOKIE_NAME_BYTES_MAX = 128,
};

/* A module's own cookie, and the one that it shares with its group. A module's name has no dot. */
#define PIN_MODULE_PREFIX PROXY_COOKIE_PREFIX
#define PIN_GROUP_PREFIX PROXY_COOKIE_PREFIX "group."

/* The first key signs, all verify. */
struct pin_keys {
    uint32_t count;
    uint8_t keys[PIN_KEYS_MAX][PIN_KEY_BYTES];
};

struct pin {
    enum side side; /* legacy or extracted */
    uint64_t expires_ms;
};

enum pin_verdict {
    PIN_ABSENT,
    PIN_NO_KEYS,   /* there is one, and nothing to verify it with */
    PIN_MALFORMED, /* not as we make them */
    PIN_EXPIRED,   /* or further ahead than any pin of ours */
    PIN_FORGED,    /* no key of ours signed it */
    PIN_GOOD
};

/* False when there is no key or the cryptographic library fails: no pin then. */
bool pin_sign(const struct pin_keys *keys, struct strview cookie, const struct pin *pin,
              char ret_value[static PIN_VALUE_BYTES]);

/* Never PIN_ABSENT. *ret_pin is set for PIN_GOOD alone. `keys` may be NULL. */
enum pin_verdict pin_verify(const struct pin_keys *keys, struct strview cookie,
                            struct strview value, uint64_t now_ms, struct pin *ret_pin);

/*
 * The pin that holds a read of `module`: its own, or else its group's, which any module of the
 * group may have set later than that. The verdict is of the one that was looked at last.
 */
enum pin_verdict pin_of_request(const struct pin_keys *keys, const struct module *module,
                                const struct headers *headers, uint64_t now_ms,
                                struct pin *ret_pin);

/*
 * Does a write of the module that was answered with `status` pin? Also where the stage would read
 * from that side anyway: stage and percent may change while the pin holds. Only out of `retired`
 * there is no way but to `live`, which reads from the same side.
 */
bool pin_is_due(const struct module *module, int status);

#endif
