/* `strangler history` and `strangler diff`: what was changed, and what differs from the files. */
#include <stdlib.h>

#include "proxy/cli/ask.h"
#include "proxy/cli/table.h"
#include "proxy/cli/usage.h"
#include "proxy/cli/words.h"
#include "proxy/core/arena.h"

enum { LIMIT_MAX = 10000 };

/* "users: stage ramp → live"; the module once for all of its keys. */
static void describe_changes(const json_t *entry, char text[static TABLE_CELL_BYTES])
{
    size_t used = 0;
    size_t index;
    const json_t *item;
    const char *last = "";
    char from[WORDS_VALUE_BYTES];
    char to[WORDS_VALUE_BYTES];
    text[0] = '\0';
    json_array_foreach(json_object_get(entry, "changes"), index, item)
    {
        const char *module = answer_text(item, "module");
        words_value(json_object_get(item, "from"), from);
        words_value(json_object_get(item, "to"), to);
        bool again = strview_equal(strview_of(module), strview_of(last));
        int length = snprintf(text + used, TABLE_CELL_BYTES - used, "%s%s%s%s %s → %s",
                              index > 0 ? ", " : "", again ? "" : module, again ? "" : ": ",
                              answer_text(item, "key"), from, to);
        if (length < 0 || (size_t)length >= TABLE_CELL_BYTES - used)
            return;
        used += (size_t)length;
        last = module;
    }
    if (index == 0) /* a save, a confirmation */
        snprintf(text, TABLE_CELL_BYTES, "%s", answer_text(entry, "module"));
}

static void add_entry(struct table *table, const json_t *entry)
{
    char when[WORDS_TIME_BYTES];
    char what[TABLE_CELL_BYTES];
    struct table_row *row = table_add(table);
    long long undone_by = answer_integer(entry, "undone_by");
    enum colour colour = undone_by > 0 ? COLOUR_DIM : COLOUR_NONE;
    words_time(answer_text(entry, "at"), when);
    describe_changes(entry, what);
    table_set(row, 0, COLOUR_BOLD, "%lld", answer_integer(entry, "entry"));
    table_set(row, 1, colour, "%s", when);
    table_set(row, 2, colour, "%lld", answer_integer(entry, "generation"));
    table_set(row, 3, colour, "%s", answer_text(entry, "who"));
    if (answer_integer(entry, "undo_of") > 0)
        table_set(row, 4, colour, "%s %lld", answer_text(entry, "verb"),
                  answer_integer(entry, "undo_of"));
    else
        table_set(row, 4, colour, "%s", answer_text(entry, "verb"));
    if (undone_by > 0)
        table_set(row, 5, colour, "%s (undone by %lld)", what, undone_by);
    else
        table_set(row, 5, colour, "%s", what);
    table_set(row, 6, colour, "%s", answer_text(entry, "why"));
}

static void print_history(const struct invocation *invocation, const json_t *answer, FILE *out)
{
    static const char *const heads[] = {"entry",   "when", "generation", "who",
                                        "command", "what", "why"};
    const json_t *entries = json_object_get(answer, "entries");
    struct table table;
    size_t index;
    const json_t *entry;
    if (json_array_size(entries) == 0) {
        fprintf(out, "nothing%s%s was changed yet\n", invocation->word_count > 0 ? " of " : "",
                invocation->word_count > 0 ? invocation->words[0] : "");
        return;
    }
    table_init(&table, heads, sizeof(heads) / sizeof(heads[0]), 0x5);
    json_array_foreach(entries, index, entry) add_entry(&table, entry);
    table_print(&table, out);
    table_done(&table);
}

int command_history(const struct invocation *invocation)
{
    uint64_t limit = 20;
    const char *text = invocation->values[OPTION_LIMIT];
    if (text != NULL && (!strview_to_u64(strview_of(text), LIMIT_MAX, &limit) || limit == 0))
        return usage_fault("history", "--limit is a number from 1 to %d, not `%s`", LIMIT_MAX,
                           text);
    struct arena arena;
    arena_init(&arena, NULL);
    /* A name with other letters is no module; the proxy says so. */
    char *module = invocation->word_count > 0 ? admin_client_encode(invocation->words[0]) : NULL;
    struct strview path =
        arena_printf(&arena, "/history?limit=%llu%s%s", (unsigned long long)limit,
                     module != NULL ? "&module=" : "", module != NULL ? module : "");
    int status = ask_page(invocation, path.data, print_history);
    free(module);
    arena_done(&arena);
    return status;
}

/* --- diff ---------------------------------------------------------------------------------- */

static void set_cause(struct table_row *row, size_t column, const json_t *difference)
{
    char note[WORDS_NOTE_BYTES];
    struct strview because = strview_of(answer_text(difference, "because"));
    words_note(difference, note);
    if (strview_equal(because, STRVIEW("command")))
        table_set(row, column, COLOUR_NONE, "%s", note);
    else if (strview_equal(because, STRVIEW("command and edited")))
        table_set(row, column, COLOUR_YELLOW, "edited since: a reload drops what was set %s", note);
    else if (strview_equal(because, STRVIEW("not moved")))
        table_set(row, column, COLOUR_YELLOW, "the change of owner goes on, or has failed");
    else
        table_set(row, column, COLOUR_NONE, "edited, and not reloaded yet");
}

static void add_difference(struct table *table, const json_t *difference)
{
    char file[WORDS_VALUE_BYTES];
    char running[WORDS_VALUE_BYTES];
    struct table_row *row = table_add(table);
    words_value(json_object_get(difference, "file"), file);
    words_value(json_object_get(difference, "running"), running);
    table_set(row, 0, COLOUR_BOLD, "%s", answer_text(difference, "module"));
    table_set(row, 1, COLOUR_NONE, "%s", answer_text(difference, "key"));
    table_set(row, 2, COLOUR_RED, "%s", file);
    table_set(row, 3, COLOUR_GREEN, "%s", running);
    set_cause(row, 4, difference);
}

static void print_diff(const struct invocation *invocation, const json_t *answer, FILE *out)
{
    static const char *const heads[] = {"module", "key", "file", "running", "why"};
    (void)invocation;
    const json_t *rows = json_object_get(answer, "differences");
    struct table table;
    size_t index;
    const json_t *difference;
    if (answer_flag(answer, "files_have_errors"))
        fputs("the files have errors (`strangler check`); below is what they said when they were "
              "read last\n",
              out);
    if (json_array_size(rows) == 0) {
        fputs("the proxy runs as the files say\n", out);
        return;
    }
    table_init(&table, heads, sizeof(heads) / sizeof(heads[0]), 0);
    json_array_foreach(rows, index, difference) add_difference(&table, difference);
    table_print(&table, out);
    table_done(&table);
}

int command_diff(const struct invocation *invocation)
{
    return ask_page(invocation, "/diff", print_diff);
}
