#include "proxy/routing/override.h"

#include <openssl/crypto.h>

#include "proxy/http/forwarding.h"

static const struct header_field *find_ours(const struct headers *headers, struct strview name)
{
    for (uint32_t i = 0; i < headers->count; i++) {
        const struct header_field *field = &headers->fields[i];
        if (field->token == HEADER_X_STRANGLER && strview_equal(field->name, name))
            return field;
    }
    return NULL;
}

/* In a time that does not tell how much of it is right; its length is no secret. */
static bool knows_token(const struct override_rules *rules, const struct headers *headers)
{
    const struct header_field *field = find_ours(headers, STRVIEW(OVERRIDE_TOKEN_FIELD));
    return field != NULL && rules->token.length > 0 && field->value.length == rules->token.length &&
           CRYPTO_memcmp(field->value.data, rules->token.data, rules->token.length) == 0;
}

static bool find_wish(const struct override_rules *rules, const struct headers *headers,
                      struct strview *ret_wish)
{
    const struct header_field *field = find_ours(headers, STRVIEW(OVERRIDE_SIDE_FIELD));
    if (field == NULL)
        return rules->cookie.length > 0 && headers_find_cookie(headers, rules->cookie, ret_wish);
    *ret_wish = field->value;
    return true;
}

enum override_verdict override_of_request(const struct override_rules *rules,
                                          const struct headers *headers,
                                          const struct ip_address *client, enum side *ret_side)
{
    struct strview wish;
    if (!find_wish(rules, headers, &wish))
        return OVERRIDE_ABSENT;
    if (strview_equal(wish, side_name(SIDE_LEGACY)))
        *ret_side = SIDE_LEGACY;
    else if (strview_equal(wish, side_name(SIDE_EXTRACTED)))
        *ret_side = SIDE_EXTRACTED;
    else
        return OVERRIDE_UNKNOWN;
    bool allowed = cidr_list_contains(rules->clients, rules->client_count, client) ||
                   knows_token(rules, headers);
    return allowed ? OVERRIDE_GOOD : OVERRIDE_NOT_ALLOWED;
}
