#include "proxy/cli/complete.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proxy/cli/arguments.h"
#include "proxy/cli/ask.h"
#include "proxy/core/arena.h"
#include "proxy/routing/side.h"

/* A proxy that does not answer may not make the shell wait. */
enum { LIVE_MS = 1000, LINE_WORDS_MAX = 256 };

struct line {
    struct arena arena;
    const char *words[LINE_WORDS_MAX]; /* words[0] is the program */
    size_t count;
    size_t current; /* what is being typed */
    size_t hidden;  /* bytes of it that bash has as words of their own */
};

/* --- the line ------------------------------------------------------------------------------ */

static bool is_break(const char *word)
{
    return strcmp(word, ":") == 0 || strcmp(word, "=") == 0;
}

/* bash makes words of `:` and `=`; an address or `--why=text` is one of ours. */
static void join(struct line *line, int count, char **words, size_t index)
{
    bool glue = false;
    for (int i = 0; i < count && line->count < LINE_WORDS_MAX; i++) {
        bool breaks = i > 0 && is_break(words[i]);
        if ((glue || breaks) && line->count > 1) {
            const char **last = &line->words[line->count - 1];
            if ((size_t)i == index)
                line->hidden = breaks ? strlen(*last) + 1 : strlen(*last);
            *last = arena_printf(&line->arena, "%s%s", *last, words[i]).data;
        } else {
            line->words[line->count++] = words[i];
        }
        if ((size_t)i == index)
            line->current = line->count - 1;
        glue = breaks;
    }
}

/* Does a word, given as one of its own, take the next one as its value? */
static bool takes_next(const char *word)
{
    for (int option = 0; option < OPTION_COUNT; option++) {
        const struct option_row *row = &option_rows[option];
        const char letter[] = {'-', row->letter, '\0'};
        if (row->value != NULL &&
            (strcmp(word, row->name) == 0 || (row->letter != 0 && strcmp(word, letter) == 0)))
            return true;
    }
    return false;
}

/* Where the proxy is, as far as the line says. */
static const char *value_of(const struct line *line, const char *option)
{
    for (size_t i = 2; i + 1 < line->count; i++) {
        if (i + 1 != line->current && strcmp(line->words[i], option) == 0)
            return line->words[i + 1];
    }
    return NULL;
}

/* --- candidates ---------------------------------------------------------------------------- */

static void offer(const struct line *line, struct strview candidate)
{
    struct strview typed = strview_of(line->words[line->current]);
    if (strview_starts_with(candidate, typed) && candidate.length > line->hidden)
        printf("%.*s\n", STRVIEW_ARGS(strview_from(candidate, line->hidden)));
}

static void offer_commands(const struct line *line)
{
    for (const struct command *command = commands; command->name != NULL; command++)
        offer(line, strview_of(command->name));
}

static void offer_options(const struct line *line, const struct command *command)
{
    for (int option = 0; option < OPTION_COUNT; option++) {
        if (option == OPTION_HELP || (command->options & OPTION_BIT(option)) != 0)
            offer(line, strview_of(option_rows[option].name));
    }
}

static json_t *ask_page_quietly(const struct line *line, const struct command *command,
                                const char *path)
{
    const char *admin = value_of(line, "--admin");
    struct invocation invocation = {
        .command = command,
        .admins = {.items = &admin, .count = admin != NULL ? 1 : 0},
    };
    invocation.values[OPTION_CONFIG] = value_of(line, "--config");
    struct admin_places places;
    struct admin_answer_told told = {.body = NULL};
    const struct admin_question question = {.method = "GET", .path = path, .timeout_ms = LIVE_MS};
    if (admin_places_find_if_named(&invocation, &places) == EXIT_DONE)
        admin_client_ask(&places.items[0], &question, &told);
    admin_places_done(&places);
    return told.body;
}

static void offer_members(const struct line *line, const json_t *list, const char *key)
{
    size_t index;
    const json_t *item;
    json_array_foreach(list, index, item) offer(line, strview_of(answer_text(item, key)));
}

static void offer_modules(const struct line *line, const struct command *command)
{
    json_t *answer = ask_page_quietly(line, command, "/modules");
    offer_members(line, json_object_get(answer, "modules"), "name");
    json_decref(answer);
}

static void offer_endpoints(const struct line *line, const struct command *command)
{
    json_t *answer = ask_page_quietly(line, command, "/backends");
    size_t index;
    const json_t *backend;
    json_array_foreach(json_object_get(answer, "backends"), index, backend)
        offer_members(line, json_object_get(backend, "endpoints"), "endpoint");
    json_decref(answer);
}

static void offer_word(const struct line *line, const struct command *command, enum word_kind kind)
{
    switch (kind) {
    case WORD_MODULE:
        offer_modules(line, command);
        break;
    case WORD_STAGE:
        for (int stage = 0; stage < STAGE_COUNT; stage++)
            offer(line, stage_name((enum stage)stage));
        break;
    case WORD_SIDE:
        offer(line, STRVIEW("legacy"));
        offer(line, STRVIEW("extracted"));
        break;
    case WORD_ENDPOINT:
        offer_endpoints(line, command);
        break;
    case WORD_COMMAND:
        offer_commands(line);
        break;
    case WORD_NONE:
    case WORD_PERCENT:
    case WORD_PATH: /* the shell knows files */
    case WORD_OTHER:
        break;
    }
}

/* How many words of its own the command has before the one that is typed. */
static size_t words_before(const struct line *line)
{
    size_t words = 0;
    for (size_t i = 2; i < line->current; i++) {
        if (takes_next(line->words[i]))
            i++;
        else if (line->words[i][0] != '-')
            words++;
    }
    return words;
}

static void offer_of_command(const struct line *line, const struct command *command)
{
    const char *typed = line->words[line->current];
    const char *before = line->words[line->current - 1];
    size_t words = words_before(line);
    if (line->current > 2 && takes_next(before)) {
        if (strcmp(before, "--format") == 0) {
            offer(line, STRVIEW("human"));
            offer(line, STRVIEW("json"));
        }
    } else if (typed[0] == '-') {
        offer_options(line, command);
    } else if (words < command->words_max) {
        offer_word(line, command, command->kinds[words]);
    }
}

int complete(int argc, char **argv)
{
    uint64_t index;
    if (argc < 3 || !strview_to_u64(strview_of(argv[1]), (uint64_t)argc - 2, &index) || index == 0)
        return EXIT_USAGE;
    struct line line = {.count = 0};
    arena_init(&line.arena, NULL);
    /* Behind the last word nothing stands yet. */
    bool is_new = index == (uint64_t)argc - 2;
    join(&line, argc - 2, argv + 2, index);
    if (is_new && line.count < LINE_WORDS_MAX) {
        line.current = line.count;
        line.words[line.count++] = "";
    }
    const struct command *command = line.count > 1 ? command_find(line.words[1]) : NULL;
    if (line.current == 1)
        offer_commands(&line);
    else if (line.current > 1 && command != NULL)
        offer_of_command(&line, command);
    arena_done(&line.arena);
    return EXIT_DONE;
}
