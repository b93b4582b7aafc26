/* What settings say together: references, rules between keys, and lints. Internal; one thread. */
#ifndef CONFIG_SETTINGS_CHECK_H
#define CONFIG_SETTINGS_CHECK_H

#include "proxy/config/settings_values.h"

/* Reports faults; every file has been read. */
void settings_check(struct settings *settings, struct config_report *report);

/* settings_check_module.c: one module, its stage, writes and shadow. */
void settings_check_module(struct settings *settings, struct module_settings *module,
                           struct config_report *report);

/* settings_check_reads.c: pins and overrides. */
void settings_check_reads(const struct settings *settings, struct config_report *report);

/* settings_check_route.c: one route by itself; conflicts between routes are found by compiling. */
void settings_check_route(struct settings *settings, struct route_settings *route,
                          struct config_report *report);

/* Where https is spoken: the port of the first listener that has certificates and a port; or 0. */
uint16_t settings_https_port(const struct settings *settings);

/* The backend that a text names, marked as used; NULL after a fault, or when the text is empty. */
struct backend_settings *settings_use_backend(struct settings *settings,
                                              const struct text_setting *name,
                                              struct config_report *report);

#endif
