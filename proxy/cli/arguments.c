#include "proxy/cli/arguments.h"

#include <stdlib.h>

#include "proxy/cli/usage.h"
#include "proxy/config/suggestion.h"
#include "proxy/core/array.h"

const struct option_row option_rows[OPTION_COUNT] = {
    [OPTION_ADMIN] = {"--admin", 0, "ADDRESS",
                      "the proxy's admin address; several times: all of these proxies"},
    [OPTION_CONFIG] = {"--config", 0, "PATH", "a folder or file of the configuration"},
    [OPTION_JSON] = {"--json", 0, NULL, "for programs"},
    [OPTION_WHY] = {"--why", 0, "TEXT", "the reason, for the history"},
    [OPTION_CONFIRM_WITHIN] = {"--confirm-within", 0, "DURATION",
                               "go back by itself unless `confirm` comes in time, like 10m"},
    [OPTION_FORCE] = {"--force", 0, NULL, "do what is refused without it, as said above"},
    [OPTION_IF_GENERATION] =
        {"--if-generation", 0, "N",
         "only while generation N is in force, so that nobody's change is lost"},
    [OPTION_WRITES] = {"--writes", 0, NULL, "writes go back to legacy, too (as `writes M legacy`)"},
    [OPTION_TIMEOUT] = {"--timeout", 0, "DURATION", "the longest that it may take (30s)"},
    [OPTION_MAX_WAIT] = {"--max-wait", 0, "DURATION", "how long to wait for writes under way (2s)"},
    [OPTION_TTL] = {"--ttl", 0, "DURATION", "when writes go on by themselves (60s)"},
    [OPTION_OFF] = {"--off", 0, NULL, "take requests again"},
    [OPTION_WATCH] = {"--watch", 'w', NULL, "again every second, in place, until Ctrl-C"},
    [OPTION_LIMIT] = {"--limit", 'n', "N", "how many, the newest first (20)"},
    [OPTION_HEADER] = {"--header", 'H', "'NAME: VALUE'",
                       "a header field of the request; several times: all of them"},
    [OPTION_FROM] = {"--from", 0, "ADDRESS", "the client's IP address (127.0.0.1)"},
    [OPTION_FORMAT] = {"--format", 0, "FORMAT", "human or json"},
    [OPTION_HELP] = {"--help", 'h', NULL, "this text"},
};

struct reading {
    const struct command *command;
    char **argv; /* what is left */
    int count;
    struct invocation *invocation;
};

static bool is_offered(const struct command *command, int option)
{
    return option == OPTION_HELP || (command->options & OPTION_BIT(option)) != 0;
}

static const char *name_of(const struct reading *reading)
{
    return reading->command->name;
}

/* The option called so, or OPTION_COUNT. */
static int find_long(const struct command *command, struct strview name)
{
    for (int option = 0; option < OPTION_COUNT; option++) {
        if (is_offered(command, option) &&
            strview_equal(name, strview_of(option_rows[option].name)))
            return option;
    }
    return OPTION_COUNT;
}

static int find_letter(const struct command *command, char letter)
{
    for (int option = 0; option < OPTION_COUNT; option++) {
        if (is_offered(command, option) && option_rows[option].letter == letter)
            return option;
    }
    return OPTION_COUNT;
}

static int fault_unknown(const struct reading *reading, struct strview name)
{
    struct suggestion suggestion = suggestion_begin(name);
    for (int option = 0; option < OPTION_COUNT; option++) {
        if (is_offered(reading->command, option))
            suggestion_offer(&suggestion, strview_of(option_rows[option].name));
    }
    if (suggestion.best.length == 0)
        return usage_fault(name_of(reading), "there is no option `%.*s`", STRVIEW_ARGS(name));
    return usage_fault(name_of(reading), "there is no option `%.*s`; did you mean `%.*s`?",
                       STRVIEW_ARGS(name), STRVIEW_ARGS(suggestion.best));
}

static void add_value(struct option_values *values, const char *text)
{
    values->items = memory_realloc(values->items, (values->count + 1) * sizeof(*values->items));
    values->items[values->count++] = text;
}

static void keep(struct invocation *invocation, int option, const char *value)
{
    invocation->values[option] = value;
    if (option == OPTION_ADMIN)
        add_value(&invocation->admins, value);
    else if (option == OPTION_HEADER)
        add_value(&invocation->headers, value);
}

/* `attached` is the value that stands in the same word, or NULL. */
static int take_option(struct reading *reading, int option, struct strview name,
                       const char *attached)
{
    const struct option_row *row = &option_rows[option];
    if (row->value == NULL && attached != NULL)
        return usage_fault(name_of(reading), "`%.*s` takes no value", STRVIEW_ARGS(name));
    if (row->value != NULL && attached == NULL) {
        if (reading->count == 0)
            return usage_fault(name_of(reading), "`%.*s` needs a value: %s", STRVIEW_ARGS(name),
                               row->value);
        attached = *reading->argv++;
        reading->count--;
    }
    keep(reading->invocation, option, attached != NULL ? attached : "");
    return EXIT_DONE;
}

static int take_long(struct reading *reading, const char *word)
{
    struct strview name = strview_of(word);
    name.length = strview_find(name, '=');
    const char *attached = word[name.length] == '=' ? word + name.length + 1 : NULL;
    int option = find_long(reading->command, name);
    return option == OPTION_COUNT ? fault_unknown(reading, name)
                                  : take_option(reading, option, name, attached);
}

/* "-w", or "-Hvalue" */
static int take_letter(struct reading *reading, const char *word)
{
    struct strview name = strview_make(word, 2);
    int option = find_letter(reading->command, word[1]);
    return option == OPTION_COUNT
               ? fault_unknown(reading, strview_of(word))
               : take_option(reading, option, name, word[2] != '\0' ? word + 2 : NULL);
}

static int take_word(struct reading *reading, const char *word)
{
    struct invocation *invocation = reading->invocation;
    if (invocation->word_count == reading->command->words_max)
        return usage_fault(name_of(reading), "`%s` is one word too many", word);
    invocation->words[invocation->word_count++] = word;
    return EXIT_DONE;
}

static int take(struct reading *reading, bool options_over)
{
    const char *word = *reading->argv++;
    reading->count--;
    if (options_over || word[0] != '-' || word[1] == '\0')
        return take_word(reading, word);
    return word[1] == '-' ? take_long(reading, word) : take_letter(reading, word);
}

static int check_words(const struct invocation *invocation)
{
    const struct command *command = invocation->command;
    if (invocation_has(invocation, OPTION_HELP) || invocation->word_count >= command->words_min)
        return EXIT_DONE;
    return usage_fault(command->name, "something is missing: strangler %s %s", command->name,
                       command->words);
}

int arguments_read(const struct command *command, int argc, char **argv,
                   struct invocation *ret_invocation)
{
    *ret_invocation = (struct invocation){.command = command};
    struct reading reading = {command, argv + 1, argc - 1, ret_invocation};
    bool options_over = false;
    while (reading.count > 0) {
        if (!options_over && strview_equal(strview_of(*reading.argv), STRVIEW("--"))) {
            options_over = true;
            reading.argv++;
            reading.count--;
            continue;
        }
        int status = take(&reading, options_over);
        if (status != EXIT_DONE)
            return status;
    }
    return check_words(ret_invocation);
}

void invocation_done(struct invocation *invocation)
{
    free(invocation->admins.items);
    free(invocation->headers.items);
}
