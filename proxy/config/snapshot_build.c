#include "proxy/config/snapshot_build.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "proxy/config/settings_check.h"
#include "proxy/core/array.h"

void *snapshot_array(struct snapshot *snapshot, size_t count, size_t size)
{
    return count > 0 ? arena_zalloc(&snapshot->arena, count * size) : NULL;
}

struct strview snapshot_keep(struct snapshot *snapshot, struct strview text)
{
    return arena_copy(&snapshot->arena, text);
}

/* settings_check has seen that the name is there. */
static uint32_t backend_index(const struct settings *settings, const struct text_setting *name)
{
    return (uint32_t)name_index_find(&settings->backends.names, name->text);
}

static struct strview group_cookie(struct arena *arena, struct strview group)
{
    if (group.length == 0)
        return STRVIEW_NONE;
    return arena_printf(arena, PIN_GROUP_PREFIX "%.*s", STRVIEW_ARGS(group));
}

static enum module_shadow shadow_of(const struct shadow_settings *settings)
{
    if (settings->node == NULL)
        return MODULE_SHADOW_NONE;
    return settings->percent.node == NULL ? MODULE_SHADOW_WITHOUT_PERCENT : MODULE_SHADOW_COMPLETE;
}

/* Without the key: what reads. */
static uint32_t shadow_methods(const struct number_setting *setting)
{
    if (setting->node != NULL)
        return (uint32_t)setting->value;
    return UINT32_C(1) << METHOD_GET | UINT32_C(1) << METHOD_HEAD | UINT32_C(1) << METHOD_OPTIONS;
}

static void build_modules(struct snapshot *snapshot, const struct settings *settings)
{
    uint32_t count = (uint32_t)settings->modules.count;
    struct module_table *table = module_table_new(count);
    for (uint32_t i = 0; i < table->count; i++) {
        const struct module_settings *from = &settings->modules.items[i];
        struct strview name = arena_copy(&table->arena, from->node->name);
        struct strview cohort = arena_copy(&table->arena, from->cohort.text);
        cohort = cohort.length > 0 ? cohort : name;
        table->modules[i] = (struct module){
            .name = name,
            .cohort = cohort,
            .stage = (enum stage)from->stage.value,
            .threshold = (uint32_t)from->percent.value,
            .write_owner = (enum write_owner)from->write_owner.value,
            .shadow = shadow_of(&from->shadow),
            .on_flip = arena_copy(&table->arena, from->on_flip.text),
            .shared_store = from->shared_store.value != 0,
            .pin_ms = (uint64_t)from->pin.value,
            .pin_cookie = arena_printf(&table->arena, PIN_MODULE_PREFIX "%.*s", STRVIEW_ARGS(name)),
            .pin_group_cookie = group_cookie(&table->arena, from->pin_group.text),
            .falls_back = from->on_error.value == ON_ERROR_FALLBACK,
            .fallback_after_ms = (uint64_t)from->fallback_after.value,
            .shadow_cohort = arena_printf(&table->arena, "shadow/%.*s", STRVIEW_ARGS(cohort)),
            .shadow_threshold = (uint32_t)from->shadow.percent.value,
            .shadow_methods = shadow_methods(&from->shadow.methods),
            .legacy_backend = backend_index(settings, &from->legacy),
            .extracted_backend = backend_index(settings, &from->extracted),
        };
    }
    snapshot->modules = table;
}

static struct cidr *keep_cidrs(struct snapshot *snapshot, const struct cidr_list_setting *list,
                               size_t *ret_count)
{
    struct cidr *copy = snapshot_array(snapshot, list->count, sizeof(*copy));
    if (list->count > 0)
        memcpy(copy, list->items, list->count * sizeof(*copy));
    *ret_count = list->count;
    return copy;
}

static void build_rules(struct snapshot *snapshot, const struct settings *settings)
{
    const struct identity_list_setting *identity = &settings->identity;
    struct identity_source *sources = snapshot_array(snapshot, identity->count, sizeof(*sources));
    for (size_t i = 0; i < identity->count; i++) {
        sources[i] = identity->items[i];
        sources[i].name = snapshot_keep(snapshot, identity->items[i].name);
    }
    struct override_rules override = {
        .token = snapshot->rules.override.token,
        .cookie = snapshot_keep(snapshot, settings->override_cookie.text),
    };
    override.clients = keep_cidrs(snapshot, &settings->trusted_clients, &override.client_count);
    snapshot->rules = (struct plan_rules){
        .override = override,
        .routes = snapshot->routes,
        .modules = snapshot->modules,
        .identity = sources,
        .identity_count = identity->count,
        .default_backend = backend_index(settings, &settings->default_backend),
        .ambiguous_paths = (enum ambiguous_paths)settings->ambiguous_paths.value,
    };
}

/* A file that cannot even be read is the plainer cause. */
bool snapshot_fault_unreadable(const struct text_setting *path, struct config_report *report)
{
    if (access(path->text.data, R_OK) == 0)
        return false;
    int error = errno;
    source_error(report, "bad-certificate", source_value_span(path->node),
                 "the file `%.*s` cannot be read: %s", STRVIEW_ARGS(path->text), strerror(error));
    if (error == ENOENT)
        config_report_hint(report, "a path is relative to the folder of the file that names it");
    return true;
}

static void fault_certificate(const struct certificate_settings *item, const char *problem,
                              struct config_report *report)
{
    if (!snapshot_fault_unreadable(&item->certificate, report) &&
        !snapshot_fault_unreadable(&item->key, report))
        source_error(report, "bad-certificate", source_value_span(item->certificate.node), "%s",
                     problem);
}

static struct tls_context *build_tls(const struct settings *settings,
                                     const struct certificate_list_setting *list,
                                     struct config_report *report)
{
    struct tls_certificate *certificates = memory_zalloc(list->count * sizeof(*certificates));
    for (size_t i = 0; i < list->count; i++) {
        certificates[i].certificate_path = list->items[i].certificate.text.data;
        certificates[i].key_path = list->items[i].key.text.data;
        if (list->items[i].certificate.text.length == 0 || list->items[i].key.text.length == 0) {
            free(certificates); /* reported as a missing key */
            return NULL;
        }
    }
    const struct tls_context_options options = {
        .certificates = certificates,
        .certificate_count = list->count,
        .tls13_only = settings->tls_minimum.value != 0,
    };
    struct fault fault = {.text = ""};
    size_t bad = 0;
    struct tls_context *context = tls_context_new(&options, &fault, &bad);
    if (context == NULL)
        fault_certificate(&list->items[bad < list->count ? bad : 0], fault.text, report);
    free(certificates);
    return context;
}

static void build_listeners(struct snapshot *snapshot, const struct settings *settings,
                            bool with_certificates, struct config_report *report)
{
    snapshot->listener_count = (uint32_t)settings->listeners.count;
    snapshot->listeners =
        snapshot_array(snapshot, snapshot->listener_count, sizeof(*snapshot->listeners));
    for (uint32_t i = 0; i < snapshot->listener_count; i++) {
        const struct listener_settings *from = &settings->listeners.items[i];
        struct listener_config *listener = &snapshot->listeners[i];
        listener->name = snapshot_keep(snapshot, from->node->name);
        /* In one notation, so that a reload knows its sockets again. */
        char text[ADDRESS_TEXT_BYTES];
        address_format(&from->address.address, text);
        listener->address_text = snapshot_keep(snapshot, strview_of(text));
        listener->address = from->address.address;
        listener->redirect_port = from->redirect.node != NULL ? settings_https_port(settings) : 0;
        listener->hsts_s = (uint32_t)(from->hsts.value / 1000);
        if (with_certificates && from->certificates.count > 0)
            listener->tls = build_tls(settings, &from->certificates, report);
    }
}

static struct limits limits_of(const struct limit_settings *settings)
{
    return (struct limits){
        .header_bytes = (uint32_t)settings->header_bytes.value,
        .header_fields = (uint32_t)settings->header_fields.value,
        .body_bytes = (uint64_t)settings->body_bytes.value,
        .streams = (uint32_t)settings->streams.value,
        .connections = (uint32_t)settings->connections.value,
        .connections_per_address = (uint32_t)settings->connections_per_address.value,
        .address_pause_ms = (uint32_t)settings->address_pause.value,
        .header_timeout_ms = (uint32_t)settings->header_timeout.value,
        .body_timeout_ms = (uint32_t)settings->body_timeout.value,
        .write_timeout_ms = (uint32_t)settings->write_timeout.value,
        .idle_timeout_ms = (uint32_t)settings->idle_timeout.value,
        .drain_timeout_ms = (uint32_t)settings->drain_timeout.value,
        .hand_over_timeout_ms = (uint32_t)settings->hand_over_timeout.value,
    };
}

/* Without the key: "state" in the folder of the configuration. */
static struct strview keep_state_dir(struct snapshot *snapshot, const struct settings *settings)
{
    if (settings->state_dir.node != NULL)
        return snapshot_keep(snapshot, settings->state_dir.text);
    return arena_printf(&snapshot->arena, "%.*sstate", STRVIEW_ARGS(settings->folder));
}

static void build_globals(struct snapshot *snapshot, const struct settings *settings)
{
    const struct access_log_settings *log = &settings->access_log;
    struct strview log_path = log->path.text.length > 0 ? log->path.text : STRVIEW("-");
    snapshot->trusted_proxies =
        keep_cidrs(snapshot, &settings->trusted_proxies, &snapshot->trusted_proxy_count);
    snapshot->forward = (uint32_t)settings->forward.value;
    snapshot->limits = limits_of(&settings->limits);
    snapshot->resolver = settings->resolver.address;
    snapshot->access_log = (struct access_log_config){
        .enabled = !strview_equal(log_path, STRVIEW("off")),
        .combined = log->format.value != 0,
        .path = snapshot_keep(snapshot, log_path),
    };
    snapshot->workers = (uint32_t)settings->workers.value;
    snapshot->admin_address = snapshot_keep(snapshot, settings->admin.address.text);
    snapshot->state_dir = keep_state_dir(snapshot, settings);
}

static struct snapshot *snapshot_new(void)
{
    struct snapshot *snapshot = memory_zalloc(sizeof(*snapshot));
    arena_init(&snapshot->arena, NULL);
    snapshot->references = 1;
    return snapshot;
}

static void read_token(struct snapshot *snapshot, const struct settings *settings,
                       struct config_report *report)
{
    const struct text_setting *file = &settings->override_token_file;
    snapshot->rules.override.token = snapshot_read_override_token(snapshot, file, report);
    snapshot->override_token_unread =
        file->text.length > 0 && snapshot->rules.override.token.length == 0;
}

void snapshot_report_faults(const struct settings *settings, struct config_report *report)
{
    struct snapshot *snapshot = snapshot_new();
    build_listeners(snapshot, settings, true, report);
    snapshot_build_backends(snapshot, settings, true, report);
    read_token(snapshot, settings, report);
    snapshot_build_shadows(snapshot, settings, report);
    route_table_builder_free(snapshot_compile_routes(snapshot, settings, report));
    snapshot_unref(snapshot);
}

static struct snapshot *build(const struct settings *settings, struct endpoint_registry *registry,
                              bool with_secrets, struct config_report *report)
{
    size_t errors_before = report->errors;
    struct snapshot *snapshot = snapshot_new();
    build_modules(snapshot, settings);
    build_listeners(snapshot, settings, with_secrets, report);
    snapshot_build_backends(snapshot, settings, with_secrets, report);
    read_token(snapshot, settings, with_secrets ? report : NULL);
    snapshot_build_shadows(snapshot, settings, report);
    if (!snapshot_build_routes(snapshot, settings, report) || report->errors > errors_before) {
        snapshot_unref(snapshot);
        return NULL;
    }
    /* Last, so that a bad reload leaves nothing behind in the registry. */
    snapshot_add_endpoints(snapshot, settings, registry);
    build_rules(snapshot, settings);
    build_globals(snapshot, settings);
    return snapshot;
}

struct snapshot *snapshot_build(const struct settings *settings, struct endpoint_registry *registry,
                                uint64_t generation, struct config_report *report)
{
    struct snapshot *snapshot = build(settings, registry, true, report);
    if (snapshot != NULL)
        snapshot->generation = generation;
    return snapshot;
}

struct snapshot *snapshot_build_offline(const struct settings *settings,
                                        struct endpoint_registry *registry,
                                        struct config_report *report)
{
    return build(settings, registry, false, report);
}
