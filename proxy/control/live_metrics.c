#include "proxy/control/live_metrics.h"

static uint32_t is_aborted(const struct live_module *module)
{
    return module->latch.on;
}

static uint32_t is_frozen(const struct live_module *module)
{
    return module->flipping || module->freeze.until_unix_ms != 0;
}

static uint32_t is_pending(const struct live_module *module)
{
    return module->pending.entry != 0;
}

static const struct {
    const char *name;
    const char *help;
    uint32_t (*value)(const struct live_module *module);
} gauges[] = {
    {"strangler_module_aborted", "1 while the latch keeps reads on legacy.", is_aborted},
    {"strangler_module_frozen", "1 while writes wait.", is_frozen},
    {"strangler_module_overrides", "Values that a command changed and the files do not have.",
     live_module_overrides},
    {"strangler_module_unconfirmed", "1 while a change waits to be confirmed.", is_pending},
};

void live_metrics_write(const struct live_state *state, FILE *out)
{
    for (size_t i = 0; i < sizeof(gauges) / sizeof(gauges[0]); i++) {
        fprintf(out, "# HELP %s %s\n# TYPE %s gauge\n", gauges[i].name, gauges[i].help,
                gauges[i].name);
        for (uint32_t j = 0; j < state->count; j++) {
            const struct live_module *module = &state->modules[j];
            if (module->declared)
                fprintf(out, "%s{module=\"%s\"} %u\n", gauges[i].name, module->name,
                        gauges[i].value(module));
        }
    }
}
