/* The cookies that we give to clients: who somebody is, and a pin after a write. */
#include "proxy/exchange/exchange_internal.h"

#define IDENTITY_SECONDS 31536000

static const char *secure_attribute(const struct exchange *exchange)
{
    return strview_equal(exchange->request->scheme, STRVIEW("https")) ? "; Secure" : "";
}

/* Every path, because modules share cookies; no script needs them. Lax: sent along when somebody
 * follows a link to us, not with what other sites' pages load. */
static void add_cookie(struct exchange *exchange, struct strview name, struct strview value,
                       uint64_t max_age_s)
{
    struct strview text =
        arena_printf(exchange->arena, "%.*s=%.*s; Path=/; Max-Age=%llu; HttpOnly; SameSite=Lax%s",
                     STRVIEW_ARGS(name), STRVIEW_ARGS(value), (unsigned long long)max_age_s,
                     secure_attribute(exchange));
    headers_add(&exchange->response.headers, exchange->arena, HEADER_SET_COOKIE,
                STRVIEW("set-cookie"), text);
}

/* --- the identity -------------------------------------------------------------------------- */

/* What an answer says about shared caches (RFC 9111 section 5.2.2). */
struct sharing {
    bool invited; /* explicitly */
    bool kept_out;
};

static void read_directive(struct strview directive, struct sharing *sharing)
{
    size_t equals = strview_find(directive, '=');
    struct strview name = strview_make(directive.data, equals);
    uint64_t seconds = 0;
    if (strview_equal_ignore_case(name, STRVIEW("private")) ||
        strview_equal_ignore_case(name, STRVIEW("no-store")))
        sharing->kept_out |= equals == directive.length; /* a field list keeps out only fields */
    else if (strview_equal_ignore_case(name, STRVIEW("public")) ||
             strview_equal_ignore_case(name, STRVIEW("s-maxage")))
        sharing->invited = true;
    else if (strview_equal_ignore_case(name, STRVIEW("max-age")) && equals < directive.length)
        sharing->invited |=
            strview_to_u64(strview_from(directive, equals + 1), UINT64_MAX, &seconds) &&
            seconds > 0;
}

static struct sharing sharing_of(const struct headers *headers)
{
    struct sharing sharing = {false, false};
    for (uint32_t i = 0; i < headers->count; i++) {
        struct strview list = headers->fields[i].value;
        struct strview directive;
        if (headers->fields[i].token != HEADER_CACHE_CONTROL)
            continue;
        while (strview_next_element(&list, &directive))
            read_directive(directive, &sharing);
    }
    return sharing;
}

/*
 * In an answer that shared caches keep it would make everybody the same user: then nobody gets one.
 * One that says nothing about it might be kept by a guess, so it says `private` with the cookie.
 */
static void add_identity(struct exchange *exchange)
{
    struct sharing sharing = sharing_of(&exchange->response.headers);
    if (sharing.invited && !sharing.kept_out)
        return;
    if (!sharing.kept_out)
        headers_add(&exchange->response.headers, exchange->arena, HEADER_CACHE_CONTROL,
                    STRVIEW("cache-control"), STRVIEW("private"));
    add_cookie(exchange, STRVIEW(IDENTITY_COOKIE_NAME), exchange->plan.identity.value,
               IDENTITY_SECONDS);
}

/* --- pins ---------------------------------------------------------------------------------- */

static void add_pin(struct exchange *exchange, struct strview cookie)
{
    const struct plan *plan = &exchange->plan;
    const struct pin pin = {
        .side = plan->side,
        .expires_ms = exchange->environment->io->loop.wall_ms + plan->module->pin_ms,
    };
    char value[PIN_VALUE_BYTES];
    if (pin_sign(exchange_snapshot(exchange)->rules.pin_keys, cookie, &pin, value))
        add_cookie(exchange, cookie, strview_make(value, sizeof(value)),
                   (plan->module->pin_ms + 999) / 1000);
}

void exchange_add_cookies(struct exchange *exchange)
{
    const struct plan *plan = &exchange->plan;
    if (plan->identity.assigned)
        add_identity(exchange);
    if (!plan->is_write || plan->module == NULL ||
        !pin_is_due(plan->module, exchange->response.status))
        return;
    add_pin(exchange, plan->module->pin_cookie);
    if (plan->module->pin_group_cookie.length > 0)
        add_pin(exchange, plan->module->pin_group_cookie);
}
