/* What else says which side serves a read: groups of pins, and overrides. Lints. */
#include <stdlib.h>

#include "proxy/config/settings_check.h"
#include "proxy/config/suggestion.h"
#include "proxy/core/array.h"

/* A name that is nearly right makes a group of its own, and nobody notices. */
static void warn_alone(const struct settings *settings, const struct module_settings *module,
                       struct config_report *report)
{
    struct strview group = module->pin_group.text;
    source_warning(report, "pin-group-alone", source_value_span(module->pin_group.node),
                   "no other module is in the `pin_group` `%.*s`", STRVIEW_ARGS(group));
    if (!config_report_wants_hint(report))
        return;
    struct suggestion suggestion = suggestion_begin(group);
    for (size_t i = 0; i < settings->modules.count; i++) {
        struct strview other = settings->modules.items[i].pin_group.text;
        if (!strview_equal(other, group))
            suggestion_offer(&suggestion, other);
    }
    if (suggestion.best.length > 0)
        config_report_hint(report, "did you mean \"%.*s\"?", STRVIEW_ARGS(suggestion.best));
}

static void check_pin_groups(const struct settings *settings, struct config_report *report)
{
    const struct module_list *modules = &settings->modules;
    uint32_t *members = memory_zalloc((modules->count + 1) * sizeof(*members));
    struct name_index groups = {.entries = NULL};
    for (size_t i = 0; i < modules->count; i++) {
        struct strview group = modules->items[i].pin_group.text;
        if (group.length == 0 || modules->items[i].pin.value == 0)
            continue;
        name_index_add(&groups, group, (uint32_t)i);
        members[name_index_find(&groups, group)]++;
    }
    for (size_t i = 0; i < modules->count; i++) {
        if (members[i] == 1)
            warn_alone(settings, &modules->items[i], report);
    }
    name_index_done(&groups);
    free(members);
}

static void check_override(const struct settings *settings, struct config_report *report)
{
    const struct cidr_list_setting *clients = &settings->trusted_clients;
    for (size_t i = 0; i < clients->count; i++) {
        /* IPv4 is held in its mapped form, below 96 bits. */
        if (clients->items[i].prefix_bits == 0 || clients->items[i].prefix_bits == 96)
            source_warning(report, "override-open", source_value_span(clients->node),
                           "these are all clients: everybody may choose a side");
    }
    if (settings->override_cookie.node != NULL && clients->count == 0) {
        source_warning(report, "override-unusable",
                       source_value_span(settings->override_cookie.node),
                       "without `trusted_clients` no cookie chooses a side");
        config_report_hint(report, "a token goes with the field x-strangler-side only");
    }
}

void settings_check_reads(const struct settings *settings, struct config_report *report)
{
    check_pin_groups(settings, report);
    check_override(settings, report);
}
