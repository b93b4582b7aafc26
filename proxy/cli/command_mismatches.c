/* `strangler mismatches`, `mismatch show` and `accept`: where the two sides differ, and what of it
 * is wanted. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "proxy/cli/ask.h"
#include "proxy/cli/side_by_side.h"
#include "proxy/cli/table.h"
#include "proxy/cli/usage.h"
#include "proxy/cli/words.h"
#include "proxy/core/check.h"
#include "proxy/core/strview.h"

enum { LIMIT_MAX = 5000, LIMIT_DEFAULT = 20 };

static void format_ms(const json_t *object, const char *key, char text[static WORDS_TIME_BYTES])
{
    time_t seconds = (time_t)(answer_integer(object, key) / 1000);
    struct tm local;
    if (localtime_r(&seconds, &local) == NULL ||
        strftime(text, WORDS_TIME_BYTES, "%Y-%m-%d %H:%M:%S", &local) == 0)
        text[0] = '\0';
}

/* --- the list ------------------------------------------------------------------------------ */

static void add_mismatch(struct table *table, const json_t *mismatch)
{
    char first[WORDS_TIME_BYTES];
    char last[WORDS_TIME_BYTES];
    const json_t *accepted = json_object_get(mismatch, "accepted");
    enum colour colour = json_is_object(accepted) ? COLOUR_DIM : COLOUR_NONE;
    struct table_row *row = table_add(table);
    format_ms(mismatch, "first_seen_ms", first);
    format_ms(mismatch, "last_seen_ms", last);
    table_set(row, 0, COLOUR_BOLD, "%lld", answer_integer(mismatch, "id"));
    table_set(row, 1, colour, "%s", answer_text(mismatch, "module"));
    table_set(row, 2, colour, "%s", answer_text(mismatch, "path"));
    table_set(row, 3, colour, "%s", answer_text(mismatch, "field"));
    table_set(row, 4, colour, "%s", answer_text(mismatch, "kind"));
    table_set(row, 5, colour, "%lld", answer_integer(mismatch, "count"));
    table_set(row, 6, colour, "%s", first);
    table_set(row, 7, colour, "%s", last);
    if (json_is_object(accepted))
        table_set(row, 8, colour, "%s", answer_text(accepted, "why"));
}

static void print_mismatches(const struct invocation *invocation, const json_t *answer, FILE *out)
{
    static const char *const heads[] = {"n",     "module",     "path",      "field",   "kind",
                                        "count", "first seen", "last seen", "accepted"};
    const json_t *rows = json_object_get(answer, "mismatches");
    struct table table;
    size_t index;
    const json_t *mismatch;
    (void)invocation;
    if (json_array_size(rows) == 0) {
        fputs("no mismatch was found\n", out);
        return;
    }
    table_init(&table, heads, sizeof(heads) / sizeof(heads[0]), 0x21);
    json_array_foreach(rows, index, mismatch) add_mismatch(&table, mismatch);
    table_print(&table, out);
    table_done(&table);
}

int command_mismatches(const struct invocation *invocation)
{
    uint64_t limit = LIMIT_DEFAULT;
    const char *text = invocation->values[OPTION_LIMIT];
    if (text != NULL && (!strview_to_u64(strview_of(text), LIMIT_MAX, &limit) || limit == 0))
        return usage_fault("mismatches", "--limit is a number from 1 to %d, not `%s`", LIMIT_MAX,
                           text);
    char *path = NULL;
    char *module = invocation->word_count > 0 ? admin_client_encode(invocation->words[0]) : NULL;
    CHECK(asprintf(&path, "/mismatches?limit=%llu%s%s", (unsigned long long)limit,
                   module != NULL ? "&module=" : "", module != NULL ? module : "") >= 0);
    int status = ask_page(invocation, path, print_mismatches);
    free(module);
    free(path);
    return status;
}

/* --- one ----------------------------------------------------------------------------------- */

static char *side_text(const json_t *side)
{
    return side_by_side_text(answer_integer(side, "status"), answer_text(side, "head"),
                             answer_text(side, "body"));
}

static void print_sides(const json_t *first, const json_t *second, FILE *out)
{
    char *texts[2] = {side_text(first), side_text(second)};
    fprintf(out, "%swhere they differ%s  ", terminal_begin(COLOUR_DIM), terminal_end());
    terminal_print(out, answer_text(first, "excerpt"));
    fputs("  |  ", out);
    terminal_print(out, answer_text(second, "excerpt"));
    fputc('\n', out);
    side_by_side_print(texts[0], texts[1], out);
    free(texts[0]);
    free(texts[1]);
}

static void print_example(const json_t *example, FILE *out)
{
    char when[WORDS_TIME_BYTES];
    format_ms(example, "at_ms", when);
    fprintf(out, "\n%s  %s ", when, answer_text(example, "method"));
    terminal_print(out, answer_text(example, "path"));
    fprintf(out, "  %s", terminal_begin(COLOUR_DIM));
    terminal_print(out, answer_text(example, "request_id"));
    fprintf(out, "%s\n", terminal_end());
    print_sides(json_object_get(example, "first"), json_object_get(example, "second"), out);
}

static void print_advice(const json_t *mismatch, FILE *out)
{
    const json_t *accepted = json_object_get(mismatch, "accepted");
    const char *suggestion = answer_text(mismatch, "suggestion");
    if (json_is_object(accepted)) {
        fputs("accepted by ", out);
        terminal_print(out, answer_text(accepted, "who"));
        fputs(": ", out);
        terminal_print(out, answer_text(accepted, "why"));
        fputc('\n', out);
        return;
    }
    fprintf(out, "if it is wanted: `strangler accept %lld --why …`",
            answer_integer(mismatch, "id"));
    if (suggestion[0] != '\0') {
        fputs(", or in the module's group `compare`: ", out);
        terminal_print(out, suggestion);
    }
    fputc('\n', out);
}

static void print_mismatch(const struct invocation *invocation, const json_t *answer, FILE *out)
{
    char first[WORDS_TIME_BYTES];
    char last[WORDS_TIME_BYTES];
    size_t index;
    const json_t *example;
    (void)invocation;
    format_ms(answer, "first_seen_ms", first);
    format_ms(answer, "last_seen_ms", last);
    fprintf(out, "%s%lld%s  ", terminal_begin(COLOUR_BOLD), answer_integer(answer, "id"),
            terminal_end());
    terminal_print(out, answer_text(answer, "module"));
    fputs("  ", out);
    terminal_print(out, answer_text(answer, "path"));
    fputs("  ", out);
    terminal_print(out, answer_text(answer, "field"));
    fprintf(out, ": %s, %lld times from %s to %s\n", answer_text(answer, "kind"),
            answer_integer(answer, "count"), first, last);
    print_advice(answer, out);
    json_array_foreach(json_object_get(answer, "examples"), index, example)
        print_example(example, out);
}

/* Free with free(). */
static char *mismatch_path(const char *number, const char *rest)
{
    char *path = NULL;
    char *encoded = admin_client_encode(number);
    CHECK(asprintf(&path, "/mismatches/%s%s", encoded, rest) >= 0);
    free(encoded);
    return path;
}

int command_mismatch(const struct invocation *invocation)
{
    if (strcmp(invocation->words[0], "show") != 0)
        return usage_fault("mismatch", "it can be shown: strangler mismatch show N, not `%s`",
                           invocation->words[0]);
    char *path = mismatch_path(invocation->words[1], "");
    int status = ask_page(invocation, path, print_mismatch);
    free(path);
    return status;
}
