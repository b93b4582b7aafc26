/* `strangler status`: a row a module, once or again and again in place. */
#include <stdarg.h>
#include <string.h>

#include "proxy/cli/table.h"
#include "proxy/cli/watch.h"
#include "proxy/cli/words.h"

enum { SIDE_COLUMNS = 4, FIRST_SIDE_COLUMN = 4 };

/* --- the table ----------------------------------------------------------------------------- */

static void set_milliseconds(struct table_row *row, size_t column, const json_t *side,
                             const char *key)
{
    const json_t *value = json_object_get(side, key);
    double ms = json_number_value(value);
    if (!json_is_number(value))
        table_set(row, column, COLOUR_DIM, "-");
    else if (ms < 10)
        table_set(row, column, COLOUR_NONE, "%.1f ms", ms);
    else if (ms < 10000)
        table_set(row, column, COLOUR_NONE, "%.0f ms", ms);
    else
        table_set(row, column, COLOUR_NONE, "%.1f s", ms / 1000);
}

static void set_side(struct table_row *row, size_t column, const json_t *side)
{
    double rate = answer_number(side, "requests_per_s");
    double errors = answer_number(side, "errors_percent");
    if (answer_integer(side, "requests") == 0) {
        for (size_t i = 0; i < SIDE_COLUMNS; i++)
            table_set(row, column + i, COLOUR_DIM, "-");
        return;
    }
    table_set(row, column, COLOUR_NONE, rate < 10 ? "%.1f" : "%.0f", rate);
    table_set(row, column + 1, errors > 0 ? COLOUR_RED : COLOUR_NONE, "%.3g %%", errors);
    set_milliseconds(row, column + 2, side, "p50_ms");
    set_milliseconds(row, column + 3, side, "p99_ms");
}

static void set_stage(struct table_row *row, const json_t *module)
{
    const char *stage = answer_text(module, "stage");
    if (json_is_object(json_object_get(module, "aborted")))
        table_set(row, 1, COLOUR_RED, "%s, aborted", stage);
    else if (json_is_object(json_object_get(module, "pending")))
        table_set(row, 1, COLOUR_YELLOW, "%s, unconfirmed", stage);
    else
        table_set(row, 1, COLOUR_NONE, "%s", stage);
}

static void set_writes(struct table_row *row, const json_t *module)
{
    const char *owner = answer_text(module, "write_owner");
    if (answer_flag(module, "flipping"))
        table_set(row, 3, COLOUR_YELLOW, "%s, changing", owner);
    else if (json_is_object(json_object_get(module, "frozen")))
        table_set(row, 3, COLOUR_YELLOW, "%s, frozen", owner);
    else
        table_set(row, 3, COLOUR_NONE, "%s", owner);
}

static void set_way_back(struct table_row *row, size_t column, const json_t *module)
{
    const json_t *ready = json_object_get(module, "rollback_ready");
    if (json_is_true(ready))
        table_set(row, column, COLOUR_GREEN, "ready");
    else if (json_is_false(ready))
        table_set(row, column, COLOUR_RED, "no: %s", answer_text(module, "rollback_why"));
    else
        table_set(row, column, COLOUR_DIM, "-");
}

static void add_module(struct table *table, const json_t *module)
{
    struct table_row *row = table_add(table);
    const json_t *mismatch = json_object_get(module, "mismatch_percent");
    table_set(row, 0, COLOUR_BOLD, "%s", answer_text(module, "name"));
    set_stage(row, module);
    bool acts = strcmp(answer_text(module, "stage"), "ramp") == 0; /* else it waits */
    table_set(row, 2, acts ? COLOUR_NONE : COLOUR_DIM, "%.10g %%",
              answer_number(module, "percent"));
    set_writes(row, module);
    set_side(row, FIRST_SIDE_COLUMN, json_object_get(module, "legacy_side"));
    set_side(row, FIRST_SIDE_COLUMN + SIDE_COLUMNS, json_object_get(module, "extracted_side"));
    if (json_is_number(mismatch))
        table_set(row, 12, json_number_value(mismatch) > 0 ? COLOUR_RED : COLOUR_NONE, "%.3g %%",
                  json_number_value(mismatch));
    else
        table_set(row, 12, COLOUR_DIM, "-");
    set_way_back(row, 13, module);
}

static void print_table(const json_t *modules, FILE *out)
{
    static const char *const heads[] = {
        "module", "stage",       "percent", "writes", "legacy/s", "errors",   "p50",
        "p99",    "extracted/s", "errors",  "p50",    "p99",      "mismatch", "way back",
    };
    const unsigned right = 0x1ff4; /* numbers */
    struct table table;
    size_t index;
    const json_t *module;
    table_init(&table, heads, sizeof(heads) / sizeof(heads[0]), right);
    json_array_foreach(modules, index, module) add_module(&table, module);
    table_print(&table, out);
    table_done(&table);
}

/* --- what needs words ---------------------------------------------------------------------- */

__attribute__((format(printf, 4, 5))) static void
print_remark(FILE *out, enum colour colour, const char *name, const char *format, ...)
{
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    fprintf(out, "%s", terminal_begin(colour));
    terminal_print(out, name);
    fprintf(out, "%s: ", terminal_end());
    terminal_print(out, text);
    fputc('\n', out);
}

static void print_overrides(const json_t *module, const char *name, FILE *out)
{
    char note[WORDS_NOTE_BYTES];
    char running[WORDS_VALUE_BYTES];
    char file[WORDS_VALUE_BYTES];
    size_t index;
    const json_t *override;
    json_array_foreach(json_object_get(module, "overrides"), index, override)
    {
        words_note(override, note);
        words_value(json_object_get(override, "running"), running);
        words_value(json_object_get(override, "file"), file);
        print_remark(out, COLOUR_BOLD, name, "%s %s (the file says %s), %s",
                     answer_text(override, "key"), running, file, note);
    }
}

/* "copies: 100 sampled, 98 sent; of the last 98 answers compared 0 mismatch, the last at …" */
static void print_copies(const json_t *module, const char *name, FILE *out)
{
    const json_t *shadow = json_object_get(module, "shadow");
    const json_t *pair = json_object_get(shadow, "pair_p50_ms");
    char last[WORDS_TIME_BYTES];
    if (answer_integer(shadow, "sampled") == 0)
        return;
    words_time(answer_text(shadow, "last_compared"), last);
    print_remark(
        out, answer_integer(shadow, "recent_mismatched") > 0 ? COLOUR_RED : COLOUR_BOLD, name,
        "copies: %lld sampled, %lld sent, p50 %.1f, p90 %.1f, p99 %.1f ms; of the last "
        "%lld answers compared %lld mismatch%s%s",
        answer_integer(shadow, "sampled"), answer_integer(shadow, "sent"),
        answer_number(shadow, "p50_ms"), answer_number(shadow, "p90_ms"),
        answer_number(shadow, "p99_ms"), answer_integer(shadow, "recent_compared"),
        answer_integer(shadow, "recent_mismatched"), last[0] != '\0' ? ", the last at " : "", last);
    double more_ms = json_number_value(pair);
    if (more_ms < 0 && more_ms > -0.05)
        more_ms = 0; /* no "-0.0" */
    if (json_is_number(pair))
        print_remark(out, COLOUR_BOLD, name,
                     "half of the copies took at most %+.1f ms more than the client's answer",
                     more_ms);
}

static void print_remarks(const json_t *module, FILE *out)
{
    char text[WORDS_NOTE_BYTES];
    char back_to[WORDS_VALUE_BYTES];
    const char *name = answer_text(module, "name");
    const json_t *aborted = json_object_get(module, "aborted");
    const json_t *frozen = json_object_get(module, "frozen");
    const json_t *pending = json_object_get(module, "pending");
    if (json_is_object(aborted)) {
        words_note(aborted, text);
        print_remark(out, COLOUR_RED, name,
                     "aborted %s; stage and percent act again after `strangler resume %s`", text,
                     name);
    }
    if (json_is_object(frozen)) {
        words_time(answer_text(frozen, "until"), text);
        print_remark(out, COLOUR_YELLOW, name, "writes wait until %s at the latest", text);
    }
    if (json_is_object(pending)) {
        words_time(answer_text(pending, "revert_at"), text);
        words_value(json_object_get(pending, "back_to"), back_to);
        print_remark(out, COLOUR_YELLOW, name,
                     "%s goes back to %s at %s, unless `strangler confirm %s` comes before",
                     answer_text(pending, "key"), back_to, text, name);
    }
    print_overrides(module, name, out);
    print_copies(module, name, out);
}

static void print_head(const json_t *answer, FILE *out)
{
    fprintf(out, "%sgeneration %lld%s, workers: %lld, requests under way: %lld",
            terminal_begin(COLOUR_BOLD), answer_integer(answer, "generation"), terminal_end(),
            answer_integer(answer, "workers"), answer_integer(answer, "live_exchanges"));
    fprintf(out, ", rates over the last %.0f s\n", answer_number(answer, "window_s"));
    if (json_is_false(json_object_get(answer, "last_reload_successful")))
        fprintf(out, "%sthe last reload was refused%s: `strangler check` says why\n",
                terminal_begin(COLOUR_RED), terminal_end());
    if (answer_flag(answer, "draining"))
        fprintf(out, "%sdraining: the proxy finishes what was begun%s\n",
                terminal_begin(COLOUR_YELLOW), terminal_end());
}

static void print_status(const struct invocation *invocation, const json_t *answer, FILE *out)
{
    (void)invocation;
    const json_t *modules = json_object_get(answer, "modules");
    size_t index;
    const json_t *module;
    print_head(answer, out);
    if (json_array_size(modules) == 0)
        fputs("there are no modules\n", out);
    else
        print_table(modules, out);
    json_array_foreach(modules, index, module) print_remarks(module, out);
}

int command_status(const struct invocation *invocation)
{
    if (invocation_has(invocation, OPTION_WATCH))
        return watch_page(invocation, "/status", print_status);
    return ask_page(invocation, "/status", print_status);
}
