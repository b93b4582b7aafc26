/*
 * The settings as structs: one member a key, each with the node where it stands. Filled by
 * settings_read.c from the tables in settings_keys.c, judged by settings_check.c, compiled by
 * snapshot_build.c. Texts and lists live in the arena of the settings. One thread.
 */
#ifndef CONFIG_SETTINGS_VALUES_H
#define CONFIG_SETTINGS_VALUES_H

#include "proxy/backend/backend.h"
#include "proxy/config/name_index.h"
#include "proxy/config/settings.h"
#include "proxy/config/source_position.h"
#include "proxy/routing/identity.h"
#include "proxy/routing/route.h"
#include "proxy/routing/side.h"

/* Every kind of value begins with its node, so that the reader can find it; NULL: not set. */
struct text_setting {
    const struct source_node *node;
    struct strview text;
};

/* A number in the key's own unit (ms, bytes, buckets), a flag, or the index of a word. */
struct number_setting {
    const struct source_node *node;
    int64_t value;
};

/* The value of a word that was reported as unknown. */
enum { WORD_UNKNOWN = -1 };

struct text_list_setting {
    const struct source_node *node;
    struct text_setting *items;
    size_t count;
};

struct number_list_setting {
    const struct source_node *node;
    struct number_setting *items;
    size_t count;
};

struct address_setting {
    const struct source_node *node;
    struct strview text;
    struct address address;
    struct strview host; /* of an endpoint that is to be resolved, lower case; else empty */
    uint16_t port;       /* of the host */
};

struct address_list_setting {
    const struct source_node *node;
    struct address_setting *items;
    size_t count;
};

struct cidr_list_setting {
    const struct source_node *node;
    struct cidr *items;
    size_t count;
};

struct identity_list_setting {
    const struct source_node *node;
    struct identity_source *items;
    const struct source_node **nodes; /* of the items */
    size_t count;
};

/* Conditions on headers, query or cookies. */
struct test_list_setting {
    const struct source_node *node;
    struct value_test *items;
    const struct source_node **nodes;
    size_t count;
};

struct certificate_settings {
    const struct source_node *node;
    struct text_setting certificate;
    struct text_setting key;
};

struct certificate_list_setting {
    const struct source_node *node;
    struct certificate_settings *items;
    size_t count;
};

struct listener_settings {
    const struct source_node *node;
    struct address_setting address;
    struct certificate_list_setting certificates;
    struct number_setting redirect;
    struct number_setting hsts; /* ms */
};

struct tls_settings {
    const struct source_node *node;
    struct text_setting ca;
    struct text_setting server_name;
    struct number_setting verify;
    struct text_setting certificate;
    struct text_setting key;
};

struct health_settings {
    const struct source_node *node;
    struct text_setting path;
    struct number_setting interval;
    struct number_setting fall;
    struct number_setting rise;
};

struct breaker_settings {
    const struct source_node *node;
    struct number_setting connections;
    struct number_setting pending;
    struct number_setting in_flight;
};

struct timeout_settings {
    const struct source_node *node;
    struct number_setting connect;
    struct number_setting first_byte;
    struct number_setting idle;
    struct number_setting total;
    struct number_setting keep_alive; /* backends only */
};

struct backend_settings {
    const struct source_node *node;
    struct address_list_setting endpoints;
    struct number_setting protocol; /* enum backend_protocol */
    struct number_setting balance;  /* enum balance */
    struct number_list_setting weights;
    struct number_setting isolated;
    struct tls_settings tls;
    struct health_settings health;
    struct breaker_settings limits;
    struct timeout_settings timeouts;
    bool used;
};

struct shadow_settings {
    const struct source_node *node;
    struct number_setting percent;
    struct number_setting methods;
    struct number_setting max_body;
    struct number_setting max_inflight;
    struct number_setting pipeline;
    struct number_setting timeout;
};

struct compare_settings {
    const struct source_node *node;
    struct number_setting status;
    struct text_list_setting headers;
    struct text_list_setting ignore;
    struct text_list_setting unordered;
    struct text_list_setting redact;
    struct number_setting baseline;
};

enum { ON_ERROR_FAIL, ON_ERROR_FALLBACK };

enum { SHADOW_WRITES_OFF, SHADOW_WRITES_SANDBOX };

struct module_settings {
    const struct source_node *node;
    struct text_setting legacy;
    struct text_setting extracted;
    struct number_setting stage;   /* enum stage */
    struct number_setting percent; /* in buckets */
    struct text_setting cohort;
    struct number_setting write_owner; /* enum write_owner */
    struct number_setting shared_store;
    struct text_setting on_flip;
    struct number_setting pin;
    struct text_setting pin_group;
    struct number_setting on_error;
    struct number_setting fallback_after;
    struct shadow_settings shadow;
    struct number_setting shadow_writes;
    struct compare_settings compare;
    const struct source_node *routes;
};

struct rewrite_settings {
    const struct source_node *node;
    struct text_setting regex;
    struct text_setting path;
};

/* What becomes of a WebSocket whose backend would be another one now. */
enum on_change { ON_CHANGE_KEEP, ON_CHANGE_CLOSE_AFTER };

struct route_settings {
    const struct source_node *node;
    int64_t module; /* index, or ROUTE_NO_MODULE */
    struct text_setting host;
    struct text_setting exact;
    struct text_setting prefix;
    struct text_setting regex;
    struct number_setting methods; /* bit set */
    struct test_list_setting headers;
    struct test_list_setting query;
    struct test_list_setting cookies;
    struct number_setting ignore_case;
    struct number_setting priority;
    struct rewrite_settings rewrite;
    struct number_setting treat_as_read;
    struct number_setting treat_as_write;
    struct timeout_settings timeouts;
    struct number_setting websocket;
    struct number_setting on_change; /* enum on_change */
    struct number_setting close_after;
    struct text_setting backend;
    struct cidr_list_setting allow;
    struct number_setting deny;
};

struct limit_settings {
    const struct source_node *node;
    struct number_setting header_bytes;
    struct number_setting header_fields;
    struct number_setting body_bytes;
    struct number_setting streams;
    struct number_setting connections;
    struct number_setting connections_per_address;
    struct number_setting address_pause;
    struct number_setting header_timeout;
    struct number_setting body_timeout;
    struct number_setting write_timeout;
    struct number_setting idle_timeout;
    struct number_setting drain_timeout;
    struct number_setting hand_over_timeout;
};

struct access_log_settings {
    const struct source_node *node;
    struct text_setting path;
    struct number_setting format;
};

struct admin_settings {
    const struct source_node *node;
    struct address_setting address;
};

struct listener_list {
    const struct source_node *node; /* of the group that was read last */
    struct listener_settings *items;
    size_t count;
    size_t capacity;
    struct name_index names;
};

struct backend_list {
    const struct source_node *node;
    struct backend_settings *items;
    size_t count;
    size_t capacity;
    struct name_index names;
};

struct module_list {
    const struct source_node *node;
    struct module_settings *items;
    size_t count;
    size_t capacity;
    struct name_index names;
};

struct route_list {
    const struct source_node *node;
    struct route_settings *items;
    size_t count;
    size_t capacity;
    struct name_index names; /* of those outside modules */
};

struct settings {
    struct arena arena;    /* owns sources, nodes, texts and lists */
    struct strview path;   /* what was loaded */
    struct strview folder; /* of the first file, with its '/' */
    struct listener_list listeners;
    struct admin_settings admin;
    struct address_setting resolver;
    struct text_setting state_dir;
    struct backend_list backends;
    struct text_setting default_backend;
    struct identity_list_setting identity;
    struct module_list modules;
    struct route_list routes; /* of modules too, in file order */
    struct limit_settings limits;
    struct number_setting workers;
    struct access_log_settings access_log;
    struct cidr_list_setting trusted_proxies;
    struct cidr_list_setting trusted_clients;
    struct text_setting override_token_file;
    struct text_setting override_cookie;
    struct number_setting ambiguous_paths; /* enum ambiguous_paths */
    struct number_setting forward;         /* bit set */
    struct number_setting tls_minimum;     /* 1: TLS 1.3 only */
};

#endif
