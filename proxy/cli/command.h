/*
 * What a command of the command line is: its words, its options, its texts. One table of them
 * serves the parser, `--help`, suggestions and completion, so that none of these can forget one.
 */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Exit statuses; scripts rely on them. */
enum { EXIT_DONE, EXIT_PROBLEM, EXIT_USAGE, EXIT_UNREACHABLE };

enum option {
    OPTION_ADMIN,
    OPTION_CONFIG,
    OPTION_JSON,
    OPTION_WHY,
    OPTION_CONFIRM_WITHIN,
    OPTION_FORCE,
    OPTION_IF_GENERATION,
    OPTION_WRITES,
    OPTION_TIMEOUT,
    OPTION_MAX_WAIT,
    OPTION_TTL,
    OPTION_OFF,
    OPTION_WATCH,
    OPTION_LIMIT,
    OPTION_HEADER,
    OPTION_FROM,
    OPTION_FORMAT,
    OPTION_HELP,
    OPTION_COUNT
};

#define OPTION_BIT(option) (1u << (option))

/* What a word stands for; completion asks. */
enum word_kind {
    WORD_NONE,
    WORD_MODULE,
    WORD_STAGE,
    WORD_PERCENT,
    WORD_SIDE,
    WORD_PATH,
    WORD_ENDPOINT,
    WORD_COMMAND,
    WORD_OTHER,
};

enum { WORDS_MAX = 2 };

struct invocation;

struct command {
    const char *name;
    const char *words; /* for the usage line: "MODULE STAGE" */
    const char *summary;
    const char *description; /* lines of text */
    const char *examples;    /* lines; NULL: none */
    const char *exits;       /* what 1 means; NULL: the usual */
    enum word_kind kinds[WORDS_MAX];
    uint8_t words_min;
    uint8_t words_max;
    uint32_t options; /* set of enum option; OPTION_HELP goes without saying */
    int (*run)(const struct invocation *invocation);
};

/* Options that may stand several times. Borrowed texts. */
struct option_values {
    const char **items;
    size_t count;
};

/* A command line that was understood. */
struct invocation {
    const struct command *command;
    const char *words[WORDS_MAX];
    size_t word_count;
    const char *values[OPTION_COUNT]; /* "" for one without a value; NULL: not there */
    struct option_values admins;
    struct option_values headers;
};

static inline bool invocation_has(const struct invocation *invocation, enum option option)
{
    return invocation->values[option] != NULL;
}

/* commands.c: ends with a NULL name. */
extern const struct command commands[];

const struct command *command_find(const char *name); /* NULL: there is none */

/* The function of each command. */
int command_run(const struct invocation *invocation);
int command_check(const struct invocation *invocation);
int command_explain(const struct invocation *invocation);
int command_status(const struct invocation *invocation);
int command_stage(const struct invocation *invocation);
int command_percent(const struct invocation *invocation);
int command_abort(const struct invocation *invocation);
int command_resume(const struct invocation *invocation);
int command_writes(const struct invocation *invocation);
int command_freeze(const struct invocation *invocation);
int command_unfreeze(const struct invocation *invocation);
int command_confirm(const struct invocation *invocation);
int command_undo(const struct invocation *invocation);
int command_history(const struct invocation *invocation);
int command_diff(const struct invocation *invocation);
int command_save(const struct invocation *invocation);
int command_reload(const struct invocation *invocation);
int command_generation(const struct invocation *invocation);
int command_routes(const struct invocation *invocation);
int command_backends(const struct invocation *invocation);
int command_drain(const struct invocation *invocation);
int command_mismatches(const struct invocation *invocation);
int command_mismatch(const struct invocation *invocation);
int command_accept(const struct invocation *invocation);
int command_help(const struct invocation *invocation);
int command_version(const struct invocation *invocation);

#endif
