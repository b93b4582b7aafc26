#include "proxy/config/settings_read.h"

#include <libconfig.h>
#include <stdio.h>

static const char *const kind_names[] = {
    [SOURCE_GROUP] = "a group { }",  [SOURCE_LIST] = "a list ( )",
    [SOURCE_ARRAY] = "an array [ ]", [SOURCE_TEXT] = "a text in quotes",
    [SOURCE_INTEGER] = "a number",   [SOURCE_FLOAT] = "a number",
    [SOURCE_FLAG] = "true or false",
};

struct cursor cursor_child(const struct cursor *cursor, unsigned index,
                           const struct source_node *child)
{
    return (struct cursor){config_setting_get_elem(cursor->parsed, index), child};
}

struct strview read_text_of(struct reader *reader, const struct cursor *cursor)
{
    const char *text = config_setting_get_string(cursor->parsed);
    return arena_copy(&reader->settings->arena, strview_of(text));
}

void read_fault(struct reader *reader, const struct cursor *cursor, const char *code,
                const struct key_row *row, const char *problem)
{
    source_error(reader->report, code, source_value_span(cursor->node), "%s", problem);
    if (row->example != NULL)
        config_report_hint(reader->report, "for example: %s = %s;", row->name, row->example);
}

/* What `row` takes, for people; the first kind names it (integers and floats are both numbers). */
static const char *wanted_name(unsigned kinds)
{
    if ((kinds & KINDS_MANY) == KINDS_MANY)
        return kind_names[SOURCE_ARRAY];
    for (size_t i = 0; i < sizeof(kind_names) / sizeof(kind_names[0]); i++) {
        if (kinds & KIND_BIT(i))
            return kind_names[i];
    }
    return "another value";
}

bool read_expect(struct reader *reader, const struct cursor *cursor, const struct key_row *row,
                 unsigned kinds)
{
    if (kinds & KIND_BIT(cursor->node->kind))
        return true;
    char problem[SOURCE_NAME_BYTES_MAX + 100];
    snprintf(problem, sizeof(problem), "`%s` takes %s, this is %s", row->name, wanted_name(kinds),
             kind_names[cursor->node->kind]);
    read_fault(reader, cursor, "wrong-type", row, problem);
    return false;
}

void read_defaults(const struct key_table *table, void *object)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct key_row *row = &table->rows[i];
        void *target = (char *)object + row->offset;
        if (row->read == read_group)
            read_defaults(row->rule, target);
        else if (row->initial != 0)
            ((struct number_setting *)target)->value = row->initial;
    }
}

static const struct key_row *find_row(const struct key_table *table, struct strview name)
{
    for (size_t i = 0; i < table->count; i++) {
        if (strview_equal(strview_of(table->rows[i].name), name))
            return &table->rows[i];
    }
    return NULL;
}

static const struct key_table *find_other_table(const struct key_table *table, struct strview name)
{
    for (size_t i = 0; i < key_table_count; i++) {
        if (key_tables[i] != table && find_row(key_tables[i], name) != NULL)
            return key_tables[i];
    }
    return NULL;
}

static void hint_known_keys(struct reader *reader, const struct key_table *table)
{
    struct strview list = STRVIEW_NONE;
    for (size_t i = 0; i < table->count; i++)
        list = arena_printf(&reader->settings->arena, "%.*s%s%s", STRVIEW_ARGS(list),
                            i > 0 ? ", " : "", table->rows[i].name);
    config_report_hint(reader->report, "the keys of %s: %.*s", table->noun, STRVIEW_ARGS(list));
}

static void fault_unknown_key(struct reader *reader, const struct key_table *table,
                              const struct source_node *node)
{
    source_error(reader->report, "unknown-key", source_name_span(node), "`%.*s` is no key of %s",
                 STRVIEW_ARGS(node->name), table->noun);
    if (!config_report_wants_hint(reader->report))
        return;
    struct suggestion suggestion = suggestion_begin(node->name);
    for (size_t i = 0; i < table->count; i++)
        suggestion_offer(&suggestion, strview_of(table->rows[i].name));
    const struct key_table *other = find_other_table(table, node->name);
    if (other != NULL && (suggestion.best.length == 0 || suggestion.distance > 1))
        config_report_hint(reader->report, "`%.*s` is a key of %s", STRVIEW_ARGS(node->name),
                           other->noun);
    else if (suggestion.best.length > 0)
        config_report_hint(reader->report, "did you mean `%.*s`?", STRVIEW_ARGS(suggestion.best));
    else
        hint_known_keys(reader, table);
}

/* May a second group of this name, in another file, add to the first? Only at the top level. */
static bool merges(const struct key_table *table, const struct key_row *row,
                   const struct source_node *first, const struct source_node *second)
{
    return table == &file_keys && (row->read == read_group || row->read == read_objects) &&
           first->source != second->source;
}

static void read_key(struct reader *reader, const struct cursor *cursor,
                     const struct key_table *table, void *object)
{
    const struct source_node *node = cursor->node;
    const struct key_row *row = find_row(table, node->name);
    if (row == NULL) {
        fault_unknown_key(reader, table, node);
        return;
    }
    void *target = (char *)object + row->offset;
    const struct source_node **place = target; /* every kind of value begins with its node */
    if (*place != NULL && !merges(table, row, *place, node)) {
        struct strview first = source_place(&reader->settings->arena, source_name_span(*place));
        source_error(reader->report, "duplicate-name", source_name_span(node),
                     "`%s` stands here a second time, it is set at %.*s already", row->name,
                     STRVIEW_ARGS(first));
        return;
    }
    *place = node;
    row->read(reader, cursor, row, target);
}

void read_keys(struct reader *reader, const struct cursor *group, const struct key_table *table,
               void *object)
{
    unsigned index = 0;
    for (const struct source_node *node = group->node->first_child; node; node = node->next) {
        struct cursor child = cursor_child(group, index++, node);
        read_key(reader, &child, table, object);
    }
}

void read_check_required(struct reader *reader, const struct key_table *table, const void *object,
                         struct source_span place)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct key_row *row = &table->rows[i];
        const struct source_node *const *node = (const void *)((const char *)object + row->offset);
        if (!(row->flags & KEY_REQUIRED) || *node != NULL)
            continue;
        if (place.source == NULL)
            source_file_error(reader->report, "missing-key", reader->settings->path,
                              "`%s` is missing", row->name);
        else
            source_error(reader->report, "missing-key", place, "`%s` is missing in %s", row->name,
                         table->noun);
        config_report_hint(reader->report, "for example: %s = %s;", row->name, row->example);
    }
}
