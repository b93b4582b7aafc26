/* The backends of a snapshot: what the files say, TLS that is set up, and endpoints. */
#include "proxy/config/snapshot_build.h"

#include <stdlib.h>

#include "proxy/core/array.h"

static struct timeouts timeouts_of(const struct timeout_settings *settings)
{
    return (struct timeouts){
        .connect_ms = settings->connect.value,
        .first_byte_ms = settings->first_byte.value,
        .idle_ms = settings->idle.value,
        .total_ms = settings->total.value,
        .keep_alive_ms = settings->keep_alive.value,
    };
}

/* --- TLS ------------------------------------------------------------------------------------- */

static const char *path_of(const struct text_setting *path)
{
    return path->text.length > 0 ? path->text.data : NULL;
}

/* The setting that a path came from; the group when it is none of its own. */
static const struct source_node *node_of(const struct tls_settings *settings, const char *path)
{
    const struct text_setting *const texts[] = {&settings->ca, &settings->certificate,
                                                &settings->key};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (path != NULL && texts[i]->text.data == path)
            return texts[i]->node;
    }
    return settings->node;
}

static void fault_tls(const struct tls_settings *settings, const char *path, const char *problem,
                      struct config_report *report)
{
    const struct text_setting *const texts[] = {&settings->ca, &settings->certificate,
                                                &settings->key};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (texts[i]->text.length > 0 && snapshot_fault_unreadable(texts[i], report))
            return;
    }
    source_error(report, "bad-certificate", source_value_span(node_of(settings, path)), "%s",
                 problem);
}

static struct tls_client *build_tls(const struct tls_settings *settings,
                                    enum backend_protocol protocol, struct config_report *report)
{
    const struct tls_client_options options = {
        .ca_path = path_of(&settings->ca),
        .certificate_path = path_of(&settings->certificate),
        .key_path = path_of(&settings->key),
        .server_name = settings->server_name.text,
        .protocol = protocol == BACKEND_H2 ? STRVIEW("h2") : STRVIEW("http/1.1"),
        .verify = settings->verify.value != 0,
    };
    if ((options.certificate_path == NULL) != (options.key_path == NULL))
        return NULL; /* reported as a missing key */
    struct fault fault = {.text = ""};
    const char *bad_path = NULL;
    struct tls_client *client = tls_client_new(&options, &fault, &bad_path);
    if (client == NULL)
        fault_tls(settings, bad_path, fault.text, report);
    return client;
}

/* --- all of it ------------------------------------------------------------------------------- */

static struct breaker_limits limits_of(const struct breaker_settings *settings)
{
    return (struct breaker_limits){
        .most = {
            [BREAKER_IN_FLIGHT] = (uint32_t)settings->in_flight.value,
            [BREAKER_CONNECTIONS] = (uint32_t)settings->connections.value,
            [BREAKER_PENDING] = (uint32_t)settings->pending.value,
        }};
}

static struct backend_health health_of(struct snapshot *snapshot,
                                       const struct health_settings *settings)
{
    bool has_path = settings->path.text.length > 0;
    return (struct backend_health){
        .enabled = settings->node != NULL,
        .path = has_path ? snapshot_keep(snapshot, settings->path.text) : STRVIEW("/"),
        .interval_ms = (uint64_t)settings->interval.value,
        .fall = (uint32_t)settings->fall.value,
        .rise = (uint32_t)settings->rise.value,
    };
}

void snapshot_build_backends(struct snapshot *snapshot, const struct settings *settings,
                             bool with_certificates, struct config_report *report)
{
    snapshot->backend_count = (uint32_t)settings->backends.count;
    snapshot->backends =
        snapshot_array(snapshot, snapshot->backend_count, sizeof(*snapshot->backends));
    for (uint32_t i = 0; i < snapshot->backend_count; i++) {
        const struct backend_settings *from = &settings->backends.items[i];
        struct backend *backend = &snapshot->backends[i];
        backend->index = i;
        backend->name = snapshot_keep(snapshot, from->node->name);
        backend->protocol = (enum backend_protocol)from->protocol.value;
        backend->balance = (enum balance)from->balance.value;
        backend->isolated = from->isolated.value != 0;
        backend->timeouts = timeouts_of(&from->timeouts);
        backend->limits = limits_of(&from->limits);
        backend->health = health_of(snapshot, &from->health);
        if (with_certificates && from->tls.node != NULL)
            backend->tls = build_tls(&from->tls, backend->protocol, report);
    }
}

static const struct endpoint_name *build_names(struct snapshot *snapshot,
                                               const struct backend_settings *settings)
{
    size_t count = settings->endpoints.count;
    struct endpoint_name *names = snapshot_array(snapshot, count, sizeof(*names));
    for (size_t i = 0; i < count; i++) {
        const struct address_setting *from = &settings->endpoints.items[i];
        names[i] = (struct endpoint_name){
            .text = snapshot_keep(snapshot, from->text),
            .host = from->host.length > 0 ? snapshot_keep(snapshot, from->host) : STRVIEW_NONE,
            .address = from->address,
            .port = from->port,
            .weight = settings->weights.count > 0 ? (uint32_t)settings->weights.items[i].value : 1,
        };
    }
    return names;
}

/* Those that are addresses; what host names mean is not known here. */
static struct endpoint_set *build_endpoints(const struct backend *backend,
                                            struct endpoint_registry *registry)
{
    struct endpoint_slot *slots = memory_zalloc(backend->name_count * sizeof(*slots));
    uint32_t count = 0;
    for (uint32_t i = 0; i < backend->name_count; i++) {
        const struct endpoint_name *name = &backend->names[i];
        const struct endpoint_key key = {
            .backend_name = backend->name,
            .address_text = name->text,
            .address = name->address,
            .protocol = (int)backend->protocol,
        };
        if (name->host.length > 0)
            continue;
        slots[count].state = endpoint_registry_get(registry, &key);
        slots[count++].weight = name->weight;
    }
    struct endpoint_set *set = endpoint_set_new(slots, count);
    free(slots);
    return set;
}

void snapshot_add_endpoints(struct snapshot *snapshot, const struct settings *settings,
                            struct endpoint_registry *registry)
{
    for (uint32_t i = 0; i < snapshot->backend_count; i++) {
        struct backend *backend = &snapshot->backends[i];
        backend->name_count = (uint32_t)settings->backends.items[i].endpoints.count;
        backend->names = build_names(snapshot, &settings->backends.items[i]);
        backend->breaker = endpoint_registry_breaker(registry, backend->name);
        backend->endpoints = build_endpoints(backend, registry);
    }
}
