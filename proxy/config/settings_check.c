#include "proxy/config/settings_check.h"

#include "proxy/config/settings_read.h"

struct backend_settings *settings_use_backend(struct settings *settings,
                                              const struct text_setting *name,
                                              struct config_report *report)
{
    struct backend_list *backends = &settings->backends;
    if (name->text.length == 0)
        return NULL;
    int64_t index = name_index_find(&backends->names, name->text);
    if (index != NAME_INDEX_NONE) {
        backends->items[index].used = true;
        return &backends->items[index];
    }
    source_error(report, "unknown-backend", source_value_span(name->node),
                 "there is no backend `%.*s`", STRVIEW_ARGS(name->text));
    if (!config_report_wants_hint(report))
        return NULL;
    struct suggestion suggestion = suggestion_begin(name->text);
    for (size_t i = 0; i < backends->count; i++)
        suggestion_offer(&suggestion, backends->items[i].node->name);
    if (suggestion.best.length == 0) {
        config_report_hint(report, "define it in the group `backends`");
        return NULL;
    }
    index = name_index_find(&backends->names, suggestion.best);
    struct strview place =
        source_place(&settings->arena, source_name_span(backends->items[index].node));
    config_report_hint(report, "did you mean `%.*s` (%.*s)?", STRVIEW_ARGS(suggestion.best),
                       STRVIEW_ARGS(place));
    return NULL;
}

/* Two sockets cannot listen on one address; `first` has what was seen so far. */
static void check_address(struct settings *settings, const struct address_setting *address,
                          struct name_index *seen, uint32_t number, struct config_report *report)
{
    char buffer[ADDRESS_TEXT_BYTES];
    if (address->text.length == 0)
        return;
    struct strview text =
        arena_copy(&settings->arena, strview_of(address_format(&address->address, buffer)));
    if (name_index_add(seen, text, number))
        return;
    const struct source_node *first =
        settings->listeners.items[name_index_find(seen, text)].address.node;
    struct strview place = source_place(&settings->arena, source_value_span(first));
    source_error(report, "duplicate-address", source_value_span(address->node),
                 "the listener at %.*s has this address already", STRVIEW_ARGS(place));
}

/* Without TLS: the token, and what it allows, for everybody on the way. */
static void check_admin(const struct address_setting *admin, struct config_report *report)
{
    struct ip_address ip = address_ip(&admin->address);
    if (admin->text.length == 0 || admin->address.socket.any.sa_family == AF_UNIX ||
        ip_is_loopback(&ip))
        return;
    source_warning(report, "admin-not-local", source_value_span(admin->node),
                   "whoever can listen on the way there can read the token and steer the proxy");
    config_report_hint(report, "\"127.0.0.1:9901\" or \"unix:/run/strangler/admin.sock\"; a tunnel "
                               "leads there from elsewhere");
}

uint16_t settings_https_port(const struct settings *settings)
{
    for (size_t i = 0; i < settings->listeners.count; i++) {
        const struct listener_settings *listener = &settings->listeners.items[i];
        if (listener->certificates.count > 0 && address_port(&listener->address.address) != 0)
            return address_port(&listener->address.address);
    }
    return 0;
}

/* Sending to https is for those in clear, keeping there for those with certificates. */
static void check_https(const struct listener_settings *listener, bool has_https,
                        struct config_report *report)
{
    bool is_https = listener->certificates.node != NULL;
    if (listener->redirect.node != NULL && is_https)
        source_error(report, "conflicting-keys", source_name_span(listener->redirect.node),
                     "a listener with `certificates` speaks https already");
    else if (listener->redirect.node != NULL && !has_https)
        source_error(report, "redirect-nowhere", source_name_span(listener->redirect.node),
                     "no listener has `certificates` and a port: there is no https to go to");
    if (listener->hsts.node != NULL && !is_https)
        source_error(report, "conflicting-keys", source_name_span(listener->hsts.node),
                     "`hsts` is for listeners with `certificates` (RFC 6797)");
}

static void check_listeners(struct settings *settings, struct config_report *report)
{
    struct name_index seen = {.entries = NULL};
    for (size_t i = 0; i < settings->listeners.count; i++)
        check_address(settings, &settings->listeners.items[i].address, &seen, (uint32_t)i, report);
    check_address(settings, &settings->admin.address, &seen, 0, report);
    bool has_https = settings_https_port(settings) != 0;
    for (size_t i = 0; i < settings->listeners.count; i++)
        check_https(&settings->listeners.items[i], has_https, report);
    name_index_done(&seen);
    check_admin(&settings->admin.address, report);
    if (settings->listeners.node != NULL && settings->listeners.count == 0)
        source_error(report, "missing-key", source_name_span(settings->listeners.node),
                     "without a listener nobody can connect");
}

static void check_limits(const struct limit_settings *limits, struct config_report *report)
{
    const struct number_setting *each = &limits->connections_per_address;
    if (each->value == 0 || each->value < limits->connections.value)
        return;
    source_warning(report, "limit-unused", source_name_span(each->node),
                   "all clients together may have no more (`connections`)");
}

static bool has_a_weight(const struct number_list_setting *weights)
{
    for (size_t i = 0; i < weights->count; i++) {
        if (weights->items[i].value > 0)
            return true;
    }
    return false;
}

static bool has_unix_endpoint(const struct backend_settings *backend)
{
    for (size_t i = 0; i < backend->endpoints.count; i++) {
        if (backend->endpoints.items[i].address.socket.any.sa_family == AF_UNIX)
            return true;
    }
    return false;
}

static void check_tls(const struct backend_settings *backend, struct config_report *report)
{
    const struct tls_settings *tls = &backend->tls;
    bool has_certificate = tls->certificate.node != NULL;
    if (has_certificate != (tls->key.node != NULL))
        source_error(report, "missing-key", source_name_span(tls->node),
                     "a client certificate needs both `certificate` and `key`");
    if (strview_starts_with(tls->server_name.text, STRVIEW("*")))
        source_error(report, "bad-host", source_value_span(tls->server_name.node),
                     "`server_name` is one name, which the certificate has to be for");
    if (!tls->verify.value) {
        source_warning(report, "tls-not-verified", source_name_span(tls->verify.node),
                       "anybody on the way can answer for this backend");
        config_report_hint(report, "name the authority that signed its certificate with `ca`");
    } else if (tls->server_name.node == NULL && has_unix_endpoint(backend)) {
        source_error(report, "missing-key", source_name_span(tls->node),
                     "behind a Unix socket only `server_name` says whose certificate is expected");
    }
}

static void check_backend(const struct backend_settings *backend, struct config_report *report)
{
    if (backend->tls.node != NULL)
        check_tls(backend, report);
    if (backend->weights.node != NULL && backend->weights.count != backend->endpoints.count)
        source_error(report, "out-of-range", source_value_span(backend->weights.node),
                     "there are %zu endpoints, but %zu weights", backend->endpoints.count,
                     backend->weights.count);
    if (backend->weights.count > 0 && !has_a_weight(&backend->weights))
        source_error(report, "out-of-range", source_value_span(backend->weights.node),
                     "with no weight above 0 no endpoint takes requests");
}

static void check_resolver(const struct address_setting *resolver, struct config_report *report)
{
    if (resolver->node != NULL && resolver->address.socket.any.sa_family == AF_UNIX)
        source_error(report, "bad-address", source_value_span(resolver->node),
                     "a resolver is asked over the network");
}

static void check_isolated(const struct settings *settings, struct config_report *report)
{
    struct name_index sandboxed = {.entries = NULL};
    for (size_t i = 0; i < settings->modules.count; i++) {
        const struct module_settings *module = &settings->modules.items[i];
        if (module->shadow_writes.value == SHADOW_WRITES_SANDBOX)
            name_index_add(&sandboxed, module->extracted.text, (uint32_t)i);
    }
    for (size_t i = 0; i < settings->backends.count; i++) {
        const struct backend_settings *backend = &settings->backends.items[i];
        if (!backend->isolated.value ||
            name_index_find(&sandboxed, backend->node->name) != NAME_INDEX_NONE)
            continue;
        source_error(report, "isolated-needs-sandbox", source_name_span(backend->isolated.node),
                     "`isolated = true` has no meaning alone: no module with this extracted "
                     "backend has `shadow_writes = \"sandbox\"`");
    }
    name_index_done(&sandboxed);
}

static void warn_unused(const struct settings *settings, struct config_report *report)
{
    for (size_t i = 0; i < settings->backends.count; i++) {
        const struct backend_settings *backend = &settings->backends.items[i];
        if (!backend->used)
            source_warning(report, "unused-backend", source_name_span(backend->node),
                           "nothing uses the backend `%.*s`", STRVIEW_ARGS(backend->node->name));
    }
}

static bool ends_with_word(struct strview name, struct strview word)
{
    return name.length >= word.length &&
           strview_equal_ignore_case(strview_from(name, name.length - word.length), word);
}

static bool contains_word(struct strview name, struct strview word)
{
    for (size_t i = 0; i + word.length <= name.length; i++) {
        if (strview_equal_ignore_case(strview_make(name.data + i, word.length), word))
            return true;
    }
    return false;
}

/* sid, connect.sid, PHPSESSID, _app_session, access_token, x-auth-token, jwt, … */
static bool is_name_of_session(struct strview name)
{
    return strview_equal_ignore_case(name, STRVIEW("sid")) ||
           ends_with_word(name, STRVIEW(".sid")) || contains_word(name, STRVIEW("sess")) ||
           ends_with_word(name, STRVIEW("token")) || ends_with_word(name, STRVIEW("jwt"));
}

static bool changes_at_login(const struct identity_source *source)
{
    if (source->kind == IDENTITY_HEADER && (strview_equal(source->name, STRVIEW("authorization")) ||
                                            strview_equal(source->name, STRVIEW("cookie"))))
        return true;
    return (source->kind == IDENTITY_HEADER || source->kind == IDENTITY_COOKIE) &&
           is_name_of_session(source->name);
}

static void check_identity(const struct identity_list_setting *identity,
                           struct config_report *report)
{
    for (size_t i = 0; i < identity->count; i++) {
        const struct identity_source *source = &identity->items[i];
        if (changes_at_login(source)) {
            source_warning(report, "identity-changes-at-login",
                           source_value_span(identity->nodes[i]),
                           "this value changes when somebody logs in, and with it the side that "
                           "serves them");
            config_report_hint(report, "\"assign\" gives each browser a cookie that stays");
        }
        bool takes_all = source->kind == IDENTITY_ADDRESS || source->kind == IDENTITY_NONE;
        if (takes_all && i + 1 < identity->count)
            source_warning(report, "identity-unreachable",
                           source_value_span(identity->nodes[i + 1]),
                           "never used: the source in front of it always applies");
    }
}

void settings_check(struct settings *settings, struct config_report *report)
{
    struct reader reader = {.settings = settings, .report = report};
    read_check_required(&reader, &file_keys, settings, (struct source_span){.source = NULL});
    settings_use_backend(settings, &settings->default_backend, report);
    check_listeners(settings, report);
    check_limits(&settings->limits, report);
    check_identity(&settings->identity, report);
    check_resolver(&settings->resolver, report);
    for (size_t i = 0; i < settings->backends.count; i++)
        check_backend(&settings->backends.items[i], report);
    for (size_t i = 0; i < settings->modules.count; i++)
        settings_check_module(settings, &settings->modules.items[i], report);
    for (size_t i = 0; i < settings->routes.count; i++)
        settings_check_route(settings, &settings->routes.items[i], report);
    check_isolated(settings, report);
    if (report->errors > 0)
        return;
    settings_check_reads(settings, report);
    warn_unused(settings, report);
}
