/*
 * Reading settings by tables: one row a key, with the function that reads its value. Adding a key
 * is a member in settings_values.h, a row in settings_keys.c and a row in routes/README.md.
 * Internal to proxy/config; one thread.
 */
#ifndef CONFIG_SETTINGS_READ_H
#define CONFIG_SETTINGS_READ_H

#include "proxy/config/settings_values.h"
#include "proxy/config/suggestion.h"

struct config_setting_t;
struct key_row;

/* A value as libconfig parsed it, and where it stands. */
struct cursor {
    const struct config_setting_t *parsed;
    const struct source_node *node;
};

struct reader {
    struct settings *settings;
    struct config_report *report;
    int64_t module;                  /* whose routes are being read, or ROUTE_NO_MODULE */
    struct name_index module_routes; /* their names */
};

/* Reads a value into `target`; its node is set already. Reports a fault and leaves the rest. */
typedef void key_reader(struct reader *reader, const struct cursor *cursor,
                        const struct key_row *row, void *target);

enum key_flag {
    KEY_REQUIRED = 1u << 0,
};

struct key_row {
    const char *name;
    key_reader *read;
    size_t offset;       /* of the member in the table's struct */
    const void *rule;    /* what `read` needs to know more, or NULL */
    int64_t initial;     /* a number that the files do not set */
    const char *example; /* a value as one would write it */
    unsigned flags;
};

struct key_table {
    const char *noun; /* "a module" */
    const struct key_row *rows;
    size_t count;
};

struct number_rule {
    int64_t minimum;
    int64_t maximum;
};

/* The words that a key takes; the value is the index. */
struct word_rule {
    const char *const *words;
    size_t count;
};

/* A group of named objects. `add` makes one and returns what the table's rows fill, or NULL. */
struct object_rule {
    const char *noun; /* "backend" */
    const struct key_table *table;
    void *(*add)(struct reader *reader, const struct source_node *node);
};

struct cursor cursor_child(const struct cursor *cursor, unsigned index,
                           const struct source_node *child);

/* Sets what has a default; before the first key is read. */
void read_defaults(const struct key_table *table, void *object);

/* Every key of a group. Faults: unknown and repeated keys, and what the readers find. */
void read_keys(struct reader *reader, const struct cursor *group, const struct key_table *table,
               void *object);

/* Reports the required keys that are not set, at `place`; without a source: of all files. */
void read_check_required(struct reader *reader, const struct key_table *table, const void *object,
                         struct source_span place);

/* Is the value one of the kinds (bits of enum source_kind)? Else a fault that shows the example. */
bool read_expect(struct reader *reader, const struct cursor *cursor, const struct key_row *row,
                 unsigned kinds);

#define KIND_BIT(kind) (1u << (unsigned)(kind))
#define KINDS_NUMBER (KIND_BIT(SOURCE_INTEGER) | KIND_BIT(SOURCE_FLOAT))
#define KINDS_MANY (KIND_BIT(SOURCE_ARRAY) | KIND_BIT(SOURCE_LIST))

/* The text of a SOURCE_TEXT value, in the settings' arena. */
struct strview read_text_of(struct reader *reader, const struct cursor *cursor);

/* A fault about a value, with the row's example as the hint. */
void read_fault(struct reader *reader, const struct cursor *cursor, const char *code,
                const struct key_row *row, const char *problem);

/* settings_read_number.c; rule: struct number_rule, for read_word struct word_rule */
key_reader read_flag;
key_reader read_integer;
key_reader read_integer_list;
key_reader read_duration; /* ms */
key_reader read_size;     /* bytes */
key_reader read_percent;  /* buckets */
key_reader read_word;

/* settings_read_text.c */
key_reader read_text;
key_reader read_text_list;
key_reader read_token;    /* a name as HTTP allows it */
key_reader read_path;     /* of a file, relative to the configuration file's folder */
key_reader read_log_path; /* the same, or "-" or "off" */

/* settings_read_http.c */
key_reader read_host;
key_reader read_url_path;
key_reader read_methods;
key_reader read_header_tests;
key_reader read_query_tests;
key_reader read_cookie_tests;
key_reader read_identity;
key_reader read_forward;

/* settings_read_address.c */
key_reader read_address;
key_reader read_endpoints;
key_reader read_cidrs;

/* settings_read_object.c; rule: struct key_table, for read_objects struct object_rule */
key_reader read_group;
key_reader read_objects;
key_reader read_module_routes;
key_reader read_certificates;

extern const struct key_table file_keys; /* the top level */
extern const struct key_table listener_keys;
extern const struct key_table certificate_keys;
extern const struct key_table backend_keys;
extern const struct key_table module_keys;
extern const struct key_table module_route_keys;
extern const struct key_table route_keys;

extern const struct object_rule listener_objects;
extern const struct object_rule backend_objects;
extern const struct object_rule module_objects;
extern const struct object_rule route_objects;

/* Every table, for "this is a key of …". */
extern const struct key_table *const key_tables[];
extern const size_t key_table_count;

#endif
