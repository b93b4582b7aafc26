#include "proxy/routing/pin.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

enum {
    VERSION = '1',
    EXPIRY_OFFSET = 2,
    EXPIRY_DIGITS = 12,
    CLAIM_BYTES = EXPIRY_OFFSET + EXPIRY_DIGITS,
    SIGNATURE_BYTES = 32,
    MESSAGE_BYTES = PIN_COOKIE_NAME_BYTES_MAX + 1 + CLAIM_BYTES,
};

/* The longest that the key `pin` allows. */
#define PIN_LIFE_MAX_MS (7 * 86400 * UINT64_C(1000))

_Static_assert(PIN_VALUE_BYTES == CLAIM_BYTES + 2 * SIGNATURE_BYTES, "a fixed length");

static const char hex_digits[] = "0123456789abcdef";

static void write_hex_number(uint64_t number, char *text, size_t digits)
{
    for (size_t i = digits; i-- > 0; number >>= 4)
        text[i] = hex_digits[number & 15];
}

static bool read_hex_number(struct strview text, uint64_t *ret_number)
{
    uint64_t number = 0;
    for (size_t i = 0; i < text.length; i++) {
        char c = text.data[i];
        uint64_t digit;
        if (c >= '0' && c <= '9')
            digit = (uint64_t)(c - '0');
        else if (c >= 'a' && c <= 'f')
            digit = (uint64_t)(c - 'a') + 10;
        else
            return false;
        number = number << 4 | digit;
    }
    *ret_number = number;
    return true;
}

/* The signature of "COOKIE=CLAIM" as hexadecimal text. */
static bool sign_claim(const uint8_t key[static PIN_KEY_BYTES], struct strview cookie,
                       const char claim[static CLAIM_BYTES], char *ret_text)
{
    char message[MESSAGE_BYTES];
    if (cookie.length > PIN_COOKIE_NAME_BYTES_MAX)
        return false;
    memcpy(message, cookie.data, cookie.length);
    message[cookie.length] = '=';
    memcpy(message + cookie.length + 1, claim, CLAIM_BYTES);
    uint8_t signature[SIGNATURE_BYTES];
    size_t length = 0;
    if (EVP_Q_mac(NULL, "HMAC", NULL, "SHA256", NULL, key, PIN_KEY_BYTES,
                  (const unsigned char *)message, cookie.length + 1 + CLAIM_BYTES, signature,
                  sizeof(signature), &length) == NULL ||
        length != sizeof(signature))
        return false;
    for (size_t i = 0; i < SIGNATURE_BYTES; i++)
        write_hex_number(signature[i], ret_text + 2 * i, 2);
    return true;
}

bool pin_sign(const struct pin_keys *keys, struct strview cookie, const struct pin *pin,
              char ret_value[static PIN_VALUE_BYTES])
{
    char value[PIN_VALUE_BYTES] = {VERSION, pin->side == SIDE_EXTRACTED ? 'e' : 'l'};
    write_hex_number(pin->expires_ms, value + EXPIRY_OFFSET, EXPIRY_DIGITS);
    if (keys == NULL || keys->count == 0 ||
        !sign_claim(keys->keys[0], cookie, value, value + CLAIM_BYTES))
        return false;
    memcpy(ret_value, value, PIN_VALUE_BYTES);
    return true;
}

static bool parse_claim(struct strview value, struct pin *ret_pin)
{
    if (value.length != PIN_VALUE_BYTES || value.data[0] != VERSION ||
        (value.data[1] != 'l' && value.data[1] != 'e'))
        return false;
    ret_pin->side = value.data[1] == 'e' ? SIDE_EXTRACTED : SIDE_LEGACY;
    return read_hex_number(strview_make(value.data + EXPIRY_OFFSET, EXPIRY_DIGITS),
                           &ret_pin->expires_ms);
}

static bool is_signed(const struct pin_keys *keys, struct strview cookie, struct strview value)
{
    for (uint32_t i = 0; i < keys->count; i++) {
        char expected[2 * SIGNATURE_BYTES];
        if (sign_claim(keys->keys[i], cookie, value.data, expected) &&
            CRYPTO_memcmp(expected, value.data + CLAIM_BYTES, sizeof(expected)) == 0)
            return true;
    }
    return false;
}

enum pin_verdict pin_verify(const struct pin_keys *keys, struct strview cookie,
                            struct strview value, uint64_t now_ms, struct pin *ret_pin)
{
    struct pin pin;
    if (!parse_claim(value, &pin))
        return PIN_MALFORMED;
    /* Before the signature, which costs the most. */
    if (pin.expires_ms <= now_ms || pin.expires_ms - now_ms > PIN_LIFE_MAX_MS)
        return PIN_EXPIRED;
    if (keys == NULL || keys->count == 0)
        return PIN_NO_KEYS;
    if (!is_signed(keys, cookie, value))
        return PIN_FORGED;
    *ret_pin = pin;
    return PIN_GOOD;
}

enum pin_verdict pin_of_request(const struct pin_keys *keys, const struct module *module,
                                const struct headers *headers, uint64_t now_ms, struct pin *ret_pin)
{
    const struct strview cookies[] = {module->pin_cookie, module->pin_group_cookie};
    enum pin_verdict verdict = PIN_ABSENT;
    if (module->pin_ms == 0)
        return PIN_ABSENT;
    for (size_t i = 0; i < 2 && verdict != PIN_GOOD; i++) {
        struct strview value;
        if (cookies[i].length > 0 && headers_find_cookie(headers, cookies[i], &value))
            verdict = pin_verify(keys, cookies[i], value, now_ms, ret_pin);
    }
    return verdict;
}

bool pin_is_due(const struct module *module, int status)
{
    if (module->pin_ms == 0 || status < 200 || status >= 400)
        return false;
    return module->stage != STAGE_RETIRED || module->pin_group_cookie.length > 0;
}
