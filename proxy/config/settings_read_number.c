#include <libconfig.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "proxy/config/settings_read.h"
#include "proxy/routing/bucket.h"

struct unit {
    const char *name;
    int64_t factor;
};

static const struct unit duration_units[] = {
    {"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000},
};

static const struct unit size_units[] = {
    {"B", 1},
    {"KiB", 1024},
    {"MiB", 1024 * 1024},
    {"GiB", 1024 * 1024 * 1024},
    {"TiB", 1024LL * 1024 * 1024 * 1024},
};

static void fault_range(struct reader *reader, const struct cursor *cursor,
                        const struct key_row *row, const char *minimum, const char *maximum)
{
    char problem[200];
    snprintf(problem, sizeof(problem), "`%s` has to be between %s and %s", row->name, minimum,
             maximum);
    read_fault(reader, cursor, "out-of-range", row, problem);
}

void read_flag(struct reader *reader, const struct cursor *cursor, const struct key_row *row,
               void *target)
{
    struct number_setting *setting = target;
    if (read_expect(reader, cursor, row, KIND_BIT(SOURCE_FLAG)))
        setting->value = config_setting_get_bool(cursor->parsed) != 0;
}

/* An integer, or a float without a fraction. */
static bool integer_of(struct reader *reader, const struct cursor *cursor,
                       const struct key_row *row, int64_t *ret_value)
{
    if (!read_expect(reader, cursor, row, KINDS_NUMBER))
        return false;
    if (cursor->node->kind == SOURCE_INTEGER) {
        *ret_value = config_setting_get_int64(cursor->parsed);
        return true;
    }
    double value = config_setting_get_float(cursor->parsed);
    if (value != floor(value) || fabs(value) > 1e15) {
        read_fault(reader, cursor, "wrong-type", row, "a whole number is needed here");
        return false;
    }
    *ret_value = (int64_t)value;
    return true;
}

static bool read_number(struct reader *reader, const struct cursor *cursor,
                        const struct key_row *row, struct number_setting *setting)
{
    const struct number_rule *rule = row->rule;
    int64_t value;
    if (!integer_of(reader, cursor, row, &value))
        return false;
    if (value < rule->minimum || value > rule->maximum) {
        char bounds[2][24];
        snprintf(bounds[0], sizeof(bounds[0]), "%lld", (long long)rule->minimum);
        snprintf(bounds[1], sizeof(bounds[1]), "%lld", (long long)rule->maximum);
        fault_range(reader, cursor, row, bounds[0], bounds[1]);
        return false;
    }
    setting->value = value;
    return true;
}

void read_integer(struct reader *reader, const struct cursor *cursor, const struct key_row *row,
                  void *target)
{
    read_number(reader, cursor, row, target);
}

void read_integer_list(struct reader *reader, const struct cursor *cursor,
                       const struct key_row *row, void *target)
{
    struct number_list_setting *list = target;
    if (!read_expect(reader, cursor, row, KINDS_MANY))
        return;
    size_t count = cursor->node->child_count;
    list->items = arena_zalloc(&reader->settings->arena, count * sizeof(*list->items));
    for (const struct source_node *node = cursor->node->first_child; node; node = node->next) {
        struct cursor child = cursor_child(cursor, (unsigned)list->count, node);
        struct number_setting *item = &list->items[list->count++];
        item->node = node;
        read_number(reader, &child, row, item);
    }
}

/* Digits and a unit; a unit may be missing when `plain` says so, or when the number is 0. */
static bool parse_quantity(struct strview text, const struct unit *units, size_t count, bool plain,
                           int64_t *ret_value)
{
    size_t digits = 0;
    while (digits < text.length && text.data[digits] >= '0' && text.data[digits] <= '9')
        digits++;
    uint64_t number;
    if (!strview_to_u64(strview_make(text.data, digits), INT64_MAX, &number))
        return false;
    struct strview name = strview_from(text, digits);
    if (name.length == 0) {
        *ret_value = (int64_t)number;
        return plain || number == 0;
    }
    for (size_t i = 0; i < count; i++) {
        if (strview_equal(name, strview_of(units[i].name)))
            return !__builtin_mul_overflow((int64_t)number, units[i].factor, ret_value);
    }
    return false;
}

/* A quantity in its largest unit that divides it, for messages. */
static void format_quantity(int64_t value, const struct unit *units, size_t count, char text[32])
{
    size_t best = 0;
    for (size_t i = 0; i < count; i++) {
        if (value % units[i].factor == 0 && value >= units[i].factor)
            best = i;
    }
    snprintf(text, 32, "\"%lld%s\"", (long long)(value / units[best].factor),
             value == 0 ? "" : units[best].name);
}

static void store_quantity(struct reader *reader, const struct cursor *cursor,
                           const struct key_row *row, const struct unit *units, size_t count,
                           struct number_setting *value)
{
    const struct number_rule *rule = row->rule;
    struct number_setting *setting = value;
    if (setting->value >= rule->minimum && setting->value <= rule->maximum)
        return;
    char bounds[2][32];
    format_quantity(rule->minimum, units, count, bounds[0]);
    format_quantity(rule->maximum, units, count, bounds[1]);
    fault_range(reader, cursor, row, bounds[0], bounds[1]);
}

void read_duration(struct reader *reader, const struct cursor *cursor, const struct key_row *row,
                   void *target)
{
    const size_t count = sizeof(duration_units) / sizeof(duration_units[0]);
    struct number_setting *setting = target;
    bool is_zero =
        cursor->node->kind == SOURCE_INTEGER && config_setting_get_int64(cursor->parsed) == 0;
    int64_t value = 0;
    if (!is_zero) {
        if (!read_expect(reader, cursor, row, KIND_BIT(SOURCE_TEXT)))
            return;
        if (!parse_quantity(read_text_of(reader, cursor), duration_units, count, false, &value)) {
            read_fault(reader, cursor, "bad-duration", row,
                       "a duration is a whole number and one of ms, s, m, h, d");
            return;
        }
    }
    setting->value = value;
    store_quantity(reader, cursor, row, duration_units, count, setting);
}

void read_size(struct reader *reader, const struct cursor *cursor, const struct key_row *row,
               void *target)
{
    const size_t count = sizeof(size_units) / sizeof(size_units[0]);
    struct number_setting *setting = target;
    int64_t value = 0;
    if (cursor->node->kind == SOURCE_INTEGER) {
        value = config_setting_get_int64(cursor->parsed);
    } else {
        if (!read_expect(reader, cursor, row, KIND_BIT(SOURCE_TEXT)))
            return;
        if (!parse_quantity(read_text_of(reader, cursor), size_units, count, true, &value)) {
            read_fault(reader, cursor, "bad-size", row,
                       "a size is a whole number and one of B, KiB, MiB, GiB, TiB");
            return;
        }
    }
    setting->value = value;
    store_quantity(reader, cursor, row, size_units, count, setting);
}

/* "25%" or "0.5%"; strtod alone would also take "inf", "0x1" and blanks. */
static bool parse_percent(struct strview text, double *ret_percent)
{
    if (text.length < 2 || text.length > 16 || text.data[text.length - 1] != '%')
        return false;
    char digits[16];
    text.length--;
    for (size_t i = 0; i < text.length; i++) {
        char c = text.data[i];
        if (!(c >= '0' && c <= '9') && c != '.')
            return false;
        digits[i] = c;
    }
    digits[text.length] = '\0';
    char *end;
    *ret_percent = strtod(digits, &end);
    return *end == '\0' && end != digits;
}

static bool percent_of(struct reader *reader, const struct cursor *cursor,
                       const struct key_row *row, double *ret_percent)
{
    if (cursor->node->kind == SOURCE_TEXT) {
        if (parse_percent(read_text_of(reader, cursor), ret_percent))
            return true;
        read_fault(reader, cursor, "bad-percent", row, "a percentage in quotes is like \"2.5%\"");
        return false;
    }
    if (!read_expect(reader, cursor, row, KINDS_NUMBER))
        return false;
    if (cursor->node->kind == SOURCE_INTEGER)
        *ret_percent = (double)config_setting_get_int64(cursor->parsed);
    else
        *ret_percent = config_setting_get_float(cursor->parsed);
    return true;
}

void read_percent(struct reader *reader, const struct cursor *cursor, const struct key_row *row,
                  void *target)
{
    struct number_setting *setting = target;
    double percent;
    uint32_t threshold;
    if (!percent_of(reader, cursor, row, &percent))
        return;
    if (!bucket_threshold_of_percent(percent, &threshold)) {
        fault_range(reader, cursor, row, "0", "100");
        return;
    }
    if (fabs(percent * BUCKETS_PER_PERCENT - threshold) > 1e-6) {
        read_fault(reader, cursor, "bad-percent", row, "a percentage has at most four decimals");
        return;
    }
    setting->value = threshold;
}

void read_word(struct reader *reader, const struct cursor *cursor, const struct key_row *row,
               void *target)
{
    const struct word_rule *rule = row->rule;
    struct number_setting *setting = target;
    if (!read_expect(reader, cursor, row, KIND_BIT(SOURCE_TEXT)))
        return;
    struct strview text = read_text_of(reader, cursor);
    struct suggestion suggestion = suggestion_begin(text);
    struct strview list = STRVIEW_NONE;
    for (size_t i = 0; i < rule->count; i++) {
        struct strview word = strview_of(rule->words[i]);
        if (strview_equal(word, text)) {
            setting->value = (int64_t)i;
            return;
        }
        suggestion_offer(&suggestion, word);
        list = arena_printf(&reader->settings->arena, "%.*s%s\"%s\"", STRVIEW_ARGS(list),
                            i > 0 ? ", " : "", rule->words[i]);
    }
    setting->value = WORD_UNKNOWN;
    source_error(reader->report, "unknown-word", source_value_span(cursor->node),
                 "`%s` cannot be \"%.*s\"", row->name, STRVIEW_ARGS(text));
    if (suggestion.best.length > 0)
        config_report_hint(reader->report, "did you mean \"%.*s\"?", STRVIEW_ARGS(suggestion.best));
    else
        config_report_hint(reader->report, "one of %.*s", STRVIEW_ARGS(list));
}
