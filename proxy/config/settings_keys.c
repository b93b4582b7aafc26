/* Every key of the configuration: one row each. routes/README.md lists the same rows for people. */
#include "proxy/config/settings_read.h"

#include "proxy/http/forwarding.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define TABLE(text, list)                                                                          \
    {                                                                                              \
        .noun = (text), .rows = (list), .count = COUNT_OF(list)                                    \
    }

enum { KIB = 1024, MIB = 1024 * KIB, SECOND = 1000, MINUTE = 60 * SECOND, DAY = 1440 * MINUTE };

static const char *const stages[] = {"legacy", "shadow", "ramp", "live", "retired"};
static const char *const write_owners[] = {"legacy", "extracted", "follow"};
static const char *const protocols[] = {"http/1.1", "h2"};
static const char *const balances[] = {"two_choices", "round_robin", "least_in_flight", "hash"};
static const char *const log_formats[] = {"json", "combined"};
static const char *const ambiguous_paths[] = {"refuse", "legacy"};
static const char *const tls_versions[] = {"1.2", "1.3"};
static const char *const redirects[] = {"https"};
static const char *const changes[] = {"keep", "close_after"};
static const char *const error_answers[] = {"fail", "fallback"};
static const char *const shadow_writes[] = {"off", "sandbox"};

_Static_assert(COUNT_OF(stages) == STAGE_COUNT, "one word a stage");
_Static_assert(COUNT_OF(write_owners) == WRITE_OWNER_COUNT, "one word a write owner");
_Static_assert(COUNT_OF(protocols) == BACKEND_PROTOCOL_COUNT, "one word a protocol");
_Static_assert(COUNT_OF(balances) == BALANCE_COUNT, "one word a balance");

static const struct word_rule stage_words = {stages, COUNT_OF(stages)};
static const struct word_rule write_owner_words = {write_owners, COUNT_OF(write_owners)};
static const struct word_rule protocol_words = {protocols, COUNT_OF(protocols)};
static const struct word_rule balance_words = {balances, COUNT_OF(balances)};
static const struct word_rule log_format_words = {log_formats, COUNT_OF(log_formats)};
static const struct word_rule ambiguous_words = {ambiguous_paths, COUNT_OF(ambiguous_paths)};
static const struct word_rule tls_words = {tls_versions, COUNT_OF(tls_versions)};
static const struct word_rule redirect_words = {redirects, COUNT_OF(redirects)};
static const struct word_rule change_words = {changes, COUNT_OF(changes)};
static const struct word_rule error_words = {error_answers, COUNT_OF(error_answers)};
static const struct word_rule shadow_write_words = {shadow_writes, COUNT_OF(shadow_writes)};

static const struct number_rule any_duration = {0, 7 * (int64_t)DAY};
static const struct number_rule real_duration = {1, 7 * (int64_t)DAY};
static const struct number_rule probe_interval = {100, 7 * (int64_t)DAY};
static const struct number_rule address_pause = {0, 3600 * (int64_t)SECOND};
static const struct number_rule hsts_duration = {SECOND, 1000 * (int64_t)DAY};
static const struct number_rule any_size = {0, INT64_MAX};
static const struct number_rule header_size = {KIB, 16 * MIB};
static const struct number_rule field_count = {1, 10000};
static const struct number_rule stream_count = {1, 65535};
static const struct number_rule connection_count = {1, 1000000};
static const struct number_rule address_connections = {0, 1000000};
static const struct number_rule worker_count = {0, 256};
static const struct number_rule endpoint_count = {1, 256};
static const struct number_rule weight_range = {0, 1000};
static const struct number_rule probe_count = {1, 1000};
static const struct number_rule breaker_count = {1, 1000000};
static const struct number_rule pending_count = {0, 1000000};
static const struct number_rule inflight_count = {1, 100000};
static const struct number_rule pipeline_depth = {1, 64};
static const struct number_rule priority_range = {-1000000, 1000000};
static const struct number_rule refusal_status = {400, 599};

#define AT(member) offsetof(struct certificate_settings, member)
static const struct key_row certificate_rows[] = {
    {"certificate", read_path, AT(certificate), NULL, 0, "\"certs/dev.pem\"", KEY_REQUIRED},
    {"key", read_path, AT(key), NULL, 0, "\"certs/dev.key\"", KEY_REQUIRED},
};
#undef AT
const struct key_table certificate_keys = TABLE("a certificate", certificate_rows);

#define AT(member) offsetof(struct listener_settings, member)
static const struct key_row listener_rows[] = {
    {"address", read_address, AT(address), NULL, 0, "\"127.0.0.1:8443\"", KEY_REQUIRED},
    {"certificates", read_certificates, AT(certificates), NULL, 0,
     "( { certificate = \"certs/dev.pem\"; key = \"certs/dev.key\"; } )", 0},
    {"redirect", read_word, AT(redirect), &redirect_words, 0, "\"https\"", 0},
    {"hsts", read_duration, AT(hsts), &hsts_duration, 0, "\"365d\"", 0},
};
#undef AT
const struct key_table listener_keys = TABLE("a listener", listener_rows);

#define AT(member) offsetof(struct tls_settings, member)
static const struct key_row tls_rows[] = {
    {"ca", read_path, AT(ca), NULL, 0, "\"certs/ca.pem\"", 0},
    {"server_name", read_host, AT(server_name), NULL, 0, "\"users.example.org\"", 0},
    {"verify", read_flag, AT(verify), NULL, 1, "true", 0},
    {"certificate", read_path, AT(certificate), NULL, 0, "\"certs/client.pem\"", 0},
    {"key", read_path, AT(key), NULL, 0, "\"certs/client.key\"", 0},
};
#undef AT
static const struct key_table tls_keys = TABLE("`tls`", tls_rows);

#define AT(member) offsetof(struct health_settings, member)
static const struct key_row health_rows[] = {
    {"path", read_url_path, AT(path), NULL, 0, "\"/\"", 0},
    {"interval", read_duration, AT(interval), &probe_interval, 2 * SECOND, "\"2s\"", 0},
    {"fall", read_integer, AT(fall), &probe_count, 3, "3", 0},
    {"rise", read_integer, AT(rise), &probe_count, 2, "2", 0},
};
#undef AT
static const struct key_table health_keys = TABLE("`health`", health_rows);

#define AT(member) offsetof(struct breaker_settings, member)
static const struct key_row breaker_rows[] = {
    {"connections", read_integer, AT(connections), &breaker_count, 1024, "1024", 0},
    {"pending", read_integer, AT(pending), &pending_count, 1024, "1024", 0},
    {"in_flight", read_integer, AT(in_flight), &breaker_count, 1024, "1024", 0},
};
#undef AT
static const struct key_table breaker_keys = TABLE("the `limits` of a backend", breaker_rows);

#define AT(member) offsetof(struct timeout_settings, member)
static const struct key_row timeout_rows[] = {
    {"connect", read_duration, AT(connect), &any_duration, SECOND, "\"1s\"", 0},
    {"first_byte", read_duration, AT(first_byte), &any_duration, MINUTE, "\"60s\"", 0},
    {"idle", read_duration, AT(idle), &any_duration, MINUTE, "\"60s\"", 0},
    {"total", read_duration, AT(total), &any_duration, 0, "\"0\"", 0},
    {"keep_alive", read_duration, AT(keep_alive), &any_duration, 2 * SECOND, "\"2s\"", 0},
};
static const struct key_row route_timeout_rows[] = {
    {"connect", read_duration, AT(connect), &any_duration, TIMEOUT_UNSET, "\"1s\"", 0},
    {"first_byte", read_duration, AT(first_byte), &any_duration, TIMEOUT_UNSET, "\"60s\"", 0},
    {"idle", read_duration, AT(idle), &any_duration, TIMEOUT_UNSET, "\"60s\"", 0},
    {"total", read_duration, AT(total), &any_duration, TIMEOUT_UNSET, "\"0\"", 0},
};
#undef AT
static const struct key_table timeout_keys = TABLE("the `timeouts` of a backend", timeout_rows);
static const struct key_table route_timeout_keys =
    TABLE("the `timeouts` of a route", route_timeout_rows);

#define AT(member) offsetof(struct backend_settings, member)
static const struct key_row backend_rows[] = {
    {"endpoints", read_endpoints, AT(endpoints), &endpoint_count, 0, "[ \"127.0.0.1:3000\" ]",
     KEY_REQUIRED},
    {"protocol", read_word, AT(protocol), &protocol_words, BACKEND_HTTP1, "\"h2\"", 0},
    {"balance", read_word, AT(balance), &balance_words, BALANCE_TWO_CHOICES, "\"round_robin\"", 0},
    {"weights", read_integer_list, AT(weights), &weight_range, 0, "[ 3, 1 ]", 0},
    {"isolated", read_flag, AT(isolated), NULL, 0, "true", 0},
    {"tls", read_group, AT(tls), &tls_keys, 0, "{ ca = \"certs/ca.pem\"; }", 0},
    {"health", read_group, AT(health), &health_keys, 0, "{ path = \"/\"; }", 0},
    {"limits", read_group, AT(limits), &breaker_keys, 0, "{ in_flight = 1024; }", 0},
    {"timeouts", read_group, AT(timeouts), &timeout_keys, 0, "{ connect = \"1s\"; }", 0},
};
#undef AT
const struct key_table backend_keys = TABLE("a backend", backend_rows);

#define AT(member) offsetof(struct shadow_settings, member)
static const struct key_row shadow_rows[] = {
    {"percent", read_percent, AT(percent), NULL, 0, "10", 0},
    {"methods", read_methods, AT(methods), NULL, 0, "[ \"GET\" ]", 0},
    {"max_body", read_size, AT(max_body), &any_size, 256 * KIB, "\"256KiB\"", 0},
    {"max_inflight", read_integer, AT(max_inflight), &inflight_count, 64, "64", 0},
    {"timeout", read_duration, AT(timeout), &real_duration, 5 * SECOND, "\"5s\"", 0},
    {"pipeline", read_integer, AT(pipeline), &pipeline_depth, 1, "16", 0},
};
#undef AT
static const struct key_table shadow_keys = TABLE("`shadow`", shadow_rows);

#define AT(member) offsetof(struct compare_settings, member)
static const struct key_row compare_rows[] = {
    {"status", read_flag, AT(status), NULL, 1, "true", 0},
    {"headers", read_text_list, AT(headers), NULL, 0, "[ \"content-type\" ]", 0},
    {"ignore", read_text_list, AT(ignore), NULL, 0, "[ \"$.viewcount\", \"header:date\" ]", 0},
    {"unordered", read_text_list, AT(unordered), NULL, 0, "[ \"$.tags\" ]", 0},
    {"redact", read_text_list, AT(redact), NULL, 0, "[ \"$..password\" ]", 0},
    {"baseline", read_percent, AT(baseline), NULL, 0, "\"10%\"", 0},
};
#undef AT
static const struct key_table compare_keys = TABLE("`compare`", compare_rows);

#define AT(member) offsetof(struct module_settings, member)
static const struct key_row module_rows[] = {
    {"legacy", read_text, AT(legacy), NULL, 0, "\"monolith\"", KEY_REQUIRED},
    {"extracted", read_text, AT(extracted), NULL, 0, "\"users\"", KEY_REQUIRED},
    {"stage", read_word, AT(stage), &stage_words, STAGE_LEGACY, "\"ramp\"", 0},
    {"percent", read_percent, AT(percent), NULL, 0, "25", 0},
    {"cohort", read_text, AT(cohort), NULL, 0, "\"users\"", 0},
    {"write_owner", read_word, AT(write_owner), &write_owner_words, WRITE_OWNER_LEGACY,
     "\"extracted\"", 0},
    {"shared_store", read_flag, AT(shared_store), NULL, 0, "true", 0},
    {"on_flip", read_path, AT(on_flip), NULL, 0, "\"../bin/flip\"", 0},
    {"pin", read_duration, AT(pin), &any_duration, 3 * SECOND, "\"3s\"", 0},
    {"pin_group", read_token, AT(pin_group), NULL, 0, "\"forum\"", 0},
    {"on_error", read_word, AT(on_error), &error_words, 0, "\"fallback\"", 0},
    {"fallback_after", read_duration, AT(fallback_after), &real_duration, 2 * SECOND, "\"2s\"", 0},
    {"shadow", read_group, AT(shadow), &shadow_keys, 0, "{ percent = 10; }", 0},
    {"shadow_writes", read_word, AT(shadow_writes), &shadow_write_words, 0, "\"sandbox\"", 0},
    {"compare", read_group, AT(compare), &compare_keys, 0, "{ ignore = [ \"$.viewcount\" ]; }", 0},
    {"routes", read_module_routes, AT(routes), NULL, 0, "{ api: { prefix = \"/api/users\"; }; }",
     0},
};
#undef AT
const struct key_table module_keys = TABLE("a module", module_rows);

#define AT(member) offsetof(struct rewrite_settings, member)
static const struct key_row rewrite_rows[] = {
    {"regex", read_text, AT(regex), NULL, 0, "\"^/u/([0-9]+)$\"", KEY_REQUIRED},
    {"path", read_text, AT(path), NULL, 0, "\"/users/$1\"", KEY_REQUIRED},
};
#undef AT
static const struct key_table rewrite_keys = TABLE("`rewrite`", rewrite_rows);

/* What routes inside and outside of modules have in common. */
#define AT(member) offsetof(struct route_settings, member)
#define ROUTE_ROWS                                                                                 \
    {"host", read_host, AT(host), NULL, 0, "\"forum.example.org\"", 0},                            \
        {"exact", read_url_path, AT(exact), NULL, 0, "\"/api\"", 0},                               \
        {"prefix", read_url_path, AT(prefix), NULL, 0, "\"/api/users\"", 0},                       \
        {"regex", read_text, AT(regex), NULL, 0, "\"^/u/[0-9]+$\"", 0},                            \
        {"methods", read_methods, AT(methods), NULL, 0, "[ \"GET\", \"HEAD\" ]", 0},               \
        {"headers",                                                                                \
         read_header_tests,                                                                        \
         AT(headers),                                                                              \
         NULL,                                                                                     \
         0,                                                                                        \
         "[ \"x-api-version=2\", \"accept=~json\", \"x-debug\" ]",                                 \
         0},                                                                                       \
        {"query", read_query_tests, AT(query), NULL, 0, "[ \"version=2\" ]", 0},                   \
        {"cookies", read_cookie_tests, AT(cookies), NULL, 0, "[ \"beta=1\" ]", 0},                 \
        {"ignore_case", read_flag, AT(ignore_case), NULL, 0, "true", 0},                           \
        {"priority", read_integer, AT(priority), &priority_range, 0, "10", 0},                     \
        {"rewrite",                                                                                \
         read_group,                                                                               \
         AT(rewrite),                                                                              \
         &rewrite_keys,                                                                            \
         0,                                                                                        \
         "{ regex = \"^/u/([0-9]+)$\"; path = \"/users/$1\"; }",                                   \
         0},                                                                                       \
        {"treat_as_read", read_flag, AT(treat_as_read), NULL, 0, "true", 0},                       \
        {"treat_as_write", read_flag, AT(treat_as_write), NULL, 0, "true", 0},                     \
        {"timeouts", read_group, AT(timeouts), &route_timeout_keys, 0, "{ total = \"30s\"; }", 0}, \
        {"websocket", read_flag, AT(websocket), NULL, 0, "true", 0},                               \
        {"on_change", read_word, AT(on_change), &change_words, 0, "\"close_after\"", 0},           \
        {"close_after", read_duration, AT(close_after), &real_duration, 30 * SECOND, "\"30s\"", 0},

static const struct key_row module_route_rows[] = {ROUTE_ROWS};
static const struct key_row route_rows[] = {
    ROUTE_ROWS //
    {"backend", read_text, AT(backend), NULL, 0, "\"monolith\"", 0},
    {"allow", read_cidrs, AT(allow), NULL, 0, "[ \"10.0.0.0/8\" ]", 0},
    {"deny", read_integer, AT(deny), &refusal_status, 0, "403", 0},
};
#undef AT
const struct key_table module_route_keys = TABLE("a route in a module", module_route_rows);
const struct key_table route_keys = TABLE("a route outside modules", route_rows);

#define AT(member) offsetof(struct limit_settings, member)
static const struct key_row limit_rows[] = {
    {"header_bytes", read_size, AT(header_bytes), &header_size, 64 * KIB, "\"64KiB\"", 0},
    {"header_fields", read_integer, AT(header_fields), &field_count, 128, "128", 0},
    {"body_bytes", read_size, AT(body_bytes), &any_size, 0, "\"10MiB\"", 0},
    {"streams", read_integer, AT(streams), &stream_count, 128, "128", 0},
    {"connections", read_integer, AT(connections), &connection_count, 10000, "10000", 0},
    {"connections_per_address", read_integer, AT(connections_per_address), &address_connections, 0,
     "200", 0},
    {"address_pause", read_duration, AT(address_pause), &address_pause, 10 * SECOND, "\"10s\"", 0},
    {"header_timeout", read_duration, AT(header_timeout), &real_duration, 10 * SECOND, "\"10s\"",
     0},
    {"body_timeout", read_duration, AT(body_timeout), &real_duration, 30 * SECOND, "\"30s\"", 0},
    {"write_timeout", read_duration, AT(write_timeout), &real_duration, 30 * SECOND, "\"30s\"", 0},
    {"idle_timeout", read_duration, AT(idle_timeout), &real_duration, 75 * SECOND, "\"75s\"", 0},
    {"drain_timeout", read_duration, AT(drain_timeout), &any_duration, 600 * SECOND, "\"600s\"", 0},
    {"hand_over_timeout", read_duration, AT(hand_over_timeout), &real_duration, 60 * SECOND,
     "\"60s\"", 0},
};
#undef AT
static const struct key_table limit_keys = TABLE("`limits`", limit_rows);

#define AT(member) offsetof(struct access_log_settings, member)
static const struct key_row access_log_rows[] = {
    {"path", read_log_path, AT(path), NULL, 0, "\"-\"", 0},
    {"format", read_word, AT(format), &log_format_words, 0, "\"json\"", 0},
};
#undef AT
static const struct key_table access_log_keys = TABLE("`access_log`", access_log_rows);

static const struct key_row admin_rows[] = {
    {"address", read_address, offsetof(struct admin_settings, address), NULL, 0,
     "\"127.0.0.1:9901\"", KEY_REQUIRED},
};
static const struct key_table admin_keys = TABLE("`admin`", admin_rows);

#define AT(member) offsetof(struct settings, member)
static const struct key_row file_rows[] = {
    {"listeners", read_objects, AT(listeners), &listener_objects, 0,
     "{ plain: { address = \"127.0.0.1:8080\"; }; }", KEY_REQUIRED},
    {"admin", read_group, AT(admin), &admin_keys, 0, "{ address = \"127.0.0.1:9901\"; }", 0},
    {"resolver", read_address, AT(resolver), NULL, 0, "\"127.0.0.1:53\"", 0},
    {"state_dir", read_path, AT(state_dir), NULL, 0, "\"state\"", 0},
    {"backends", read_objects, AT(backends), &backend_objects, 0,
     "{ monolith: { endpoints = [ \"127.0.0.1:3000\" ]; }; }", KEY_REQUIRED},
    {"default", read_text, AT(default_backend), NULL, 0, "\"monolith\"", KEY_REQUIRED},
    {"identity", read_identity, AT(identity), NULL, 0, "[ \"assign\", \"address\" ]", 0},
    {"modules", read_objects, AT(modules), &module_objects, 0,
     "{ users: { legacy = \"monolith\"; extracted = \"users\"; }; }", 0},
    {"routes", read_objects, AT(routes), &route_objects, 0,
     "{ admin: { prefix = \"/admin\"; backend = \"monolith\"; }; }", 0},
    {"limits", read_group, AT(limits), &limit_keys, 0, "{ streams = 128; }", 0},
    {"workers", read_integer, AT(workers), &worker_count, 0, "0", 0},
    {"access_log", read_group, AT(access_log), &access_log_keys, 0, "{ path = \"-\"; }", 0},
    {"trusted_proxies", read_cidrs, AT(trusted_proxies), NULL, 0, "[ \"10.0.0.0/8\" ]", 0},
    {"trusted_clients", read_cidrs, AT(trusted_clients), NULL, 0, "[ \"127.0.0.1\" ]", 0},
    {"override_token_file", read_path, AT(override_token_file), NULL, 0, "\"override.token\"", 0},
    {"override_cookie", read_token, AT(override_cookie), NULL, 0, "\"side\"", 0},
    {"ambiguous_paths", read_word, AT(ambiguous_paths), &ambiguous_words, 0, "\"refuse\"", 0},
    {"forward", read_forward, AT(forward), NULL, FORWARD_ALL, "[ \"x-forwarded-for\", \"via\" ]",
     0},
    {"tls_minimum", read_word, AT(tls_minimum), &tls_words, 0, "\"1.2\"", 0},
};
#undef AT
const struct key_table file_keys = TABLE("the top level", file_rows);

const struct key_table *const key_tables[] = {
    &file_keys,    &listener_keys,  &certificate_keys,  &backend_keys, &tls_keys,
    &health_keys,  &breaker_keys,   &timeout_keys,      &module_keys,  &shadow_keys,
    &compare_keys, &route_keys,     &module_route_keys, &rewrite_keys, &limit_keys,
    &admin_keys,   &access_log_keys};
const size_t key_table_count = COUNT_OF(key_tables);
