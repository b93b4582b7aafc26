/* Every command, and what people are told of it. */
#include "proxy/cli/command.h"

#include <string.h>

/* Those who ask a running proxy, and those who change it. */
#define ASKING (OPTION_BIT(OPTION_ADMIN) | OPTION_BIT(OPTION_CONFIG) | OPTION_BIT(OPTION_JSON))
#define CHANGING (ASKING | OPTION_BIT(OPTION_WHY) | OPTION_BIT(OPTION_IF_GENERATION))
#define TRYING (CHANGING | OPTION_BIT(OPTION_CONFIRM_WITHIN) | OPTION_BIT(OPTION_FORCE))

const struct command commands[] = {
    {
        .name = "run",
        .words = "[DIR|FILE]",
        .summary = "serve a configuration",
        .description =
            "Serves a configuration: every *.cfg of a folder (default: routes), or one file.\n"
            "\n"
            "Signals:\n"
            "  HUP        read the files again; a faulty configuration changes nothing\n"
            "  TERM, INT  stop now\n"
            "  QUIT       take nothing new, finish what was begun, then stop\n"
            "  USR1       reopen the access log\n"
            "  USR2       hand over to a new process of the program's file, which may be a newer\n"
            "             one: it takes the same sockets, then this one ends as by QUIT. When it\n"
            "             cannot start, this one goes on\n"
            "\n"
            "Under systemd: sockets of LISTEN_FDS are used for the listeners that have their\n"
            "addresses, and NOTIFY_SOCKET is told of every start, reload, hand-over and stop.\n",
        .exits = "0 after an orderly end, 1 when it could not start, 2 bad usage.",
        .kinds = {WORD_PATH},
        .words_max = 1,
        .run = command_run,
    },
    {
        .name = "check",
        .words = "[DIR|FILE]",
        .summary = "report every fault of a configuration",
        .description =
            "Reads a configuration (default: the folder `routes`) as `strangler run` would and\n"
            "reports every error and every warning with its place. Nothing is started or changed.\n"
            "Every code in brackets is explained in routes/README.md.\n",
        .exits = "0 no error (warnings may remain), 1 an error, 2 bad usage.",
        .kinds = {WORD_PATH},
        .words_max = 1,
        .options = OPTION_BIT(OPTION_FORMAT) | OPTION_BIT(OPTION_JSON),
        .run = command_check,
    },
    {
        .name = "explain",
        .words = "METHOD URL",
        .summary = "say where one request would go, and why",
        .description =
            "Shows what the proxy would do with one request, and why: which route and module take\n"
            "it, which side serves it, and what is sent. Nothing is sent to any backend.\n"
            "\n"
            "The running proxy answers, so live changes count. When none is reachable, or with\n"
            "--config, the files answer.\n"
            "\n"
            "  METHOD  GET, POST, …\n"
            "  URL     /path?query, or with a host: https://forum.example.org/path\n",
        .examples =
            "  strangler explain GET /api/users/1 --from 192.0.2.7\n"
            "  strangler explain POST https://forum.example.org/api/posts -H 'cookie: sid=1'\n"
            "  strangler explain GET /u/17 --config routes\n",
        .exits = "0 explained, 1 the files have errors or the proxy refused, 2 bad usage.",
        .words_min = 2,
        .words_max = 2,
        .kinds = {WORD_OTHER, WORD_OTHER},
        .options = ASKING | OPTION_BIT(OPTION_HEADER) | OPTION_BIT(OPTION_FROM),
        .run = command_explain,
    },
    {
        .name = "status",
        .words = "",
        .summary = "how each module is: stage, percent, traffic of both sides",
        .description =
            "Shows a row a module: its stage, who is served by which side, where writes go, and "
            "the\n"
            "requests, errors (5xx) and latencies (p50, p99) of both sides over the last seconds.\n"
            "Below stands what is not as the files say: aborts, freezes, changes that wait for\n"
            "`confirm`, values changed by commands.\n",
        .examples = "  strangler status -w\n"
                    "  strangler status --json | jq '.modules[].stage'\n",
        .options = ASKING | OPTION_BIT(OPTION_WATCH),
        .run = command_status,
    },
    {
        .name = "stage",
        .words = "MODULE STAGE",
        .summary = "take a module to the next stage, or back",
        .description =
            "Changes the stage of a module now, for all of its routes at once:\n"
            "\n"
            "  legacy   all reads on the legacy side\n"
            "  shadow   the same, and copies go to the extracted side\n"
            "  ramp     reads split by `percent`\n"
            "  live     all reads on the extracted side\n"
            "  retired  no legacy side any more; writes have to be the extracted side's\n"
            "\n"
            "Only to a neighbouring stage, unless --force. The answer comes when every worker "
            "obeys\n"
            "and the journal holds it. The change lasts until the file says something else;\n"
            "`strangler save MODULE` writes it into the file.\n",
        .examples = "  strangler stage users ramp --why 'replication is at lag 0'\n"
                    "  strangler stage users live --confirm-within 10m\n",
        .words_min = 2,
        .words_max = 2,
        .kinds = {WORD_MODULE, WORD_STAGE},
        .options = TRYING,
        .run = command_stage,
    },
    {
        .name = "percent",
        .words = "MODULE PERCENT",
        .summary = "how many people the extracted side serves in stage ramp",
        .description =
            "Changes the share of identities that the extracted side serves in stage `ramp`: 0 is\n"
            "nobody, 100 everybody, up to four decimals. Raising it moves nobody back. In another\n"
            "stage the value waits for `ramp`. While a change of the module waits for `confirm`, "
            "the\n"
            "next one needs --force.\n",
        .examples = "  strangler percent users 1 --why 'first people'\n"
                    "  strangler percent users 50 --confirm-within 10m\n",
        .words_min = 2,
        .words_max = 2,
        .kinds = {WORD_MODULE, WORD_PERCENT},
        .options = TRYING,
        .run = command_percent,
    },
    {
        .name = "abort",
        .words = "[MODULE]",
        .summary = "all reads back to legacy, at once; never asks",
        .description =
            "Sends all reads of a module, or of every module, to the legacy side at once, and "
            "keeps\n"
            "them there: stage and percent act again only after `strangler resume`. Works in "
            "every\n"
            "stage but `retired`; aborting twice is no error. Writes stay where they are, unless\n"
            "--writes. With several proxies those that answer obey, the others are named.\n",
        .examples = "  strangler abort users --why 'p99 doubled'\n"
                    "  strangler abort\n",
        .words_max = 1,
        .kinds = {WORD_MODULE},
        .options = CHANGING | OPTION_BIT(OPTION_WRITES),
        .run = command_abort,
    },
    {
        .name = "resume",
        .words = "MODULE",
        .summary = "end an abort: stage and percent act again",
        .description =
            "Ends the abort of a module. Stage and percent act as they are now; what was\n"
            "changed meanwhile counts.\n",
        .examples = "  strangler resume users --confirm-within 10m\n",
        .words_min = 1,
        .words_max = 1,
        .kinds = {WORD_MODULE},
        .options = TRYING,
        .run = command_resume,
    },
    {
        .name = "writes",
        .words = "MODULE SIDE",
        .summary = "change which side takes the writes, as one transaction",
        .description = "Moves the writes of a module to a side: new writes wait, older ones end, "
                       "the module's\n"
                       "`on_flip` program tells both applications, then the new owner takes over. "
                       "If any of it\n"
                       "fails or takes longer than --timeout, the old owner stays.\n"
                       "\n"
                       "  SIDE  legacy or extracted\n",
        .examples = "  strangler writes users extracted --timeout 60s\n",
        .words_min = 2,
        .words_max = 2,
        .kinds = {WORD_MODULE, WORD_SIDE},
        .options = TRYING | OPTION_BIT(OPTION_TIMEOUT),
        .run = command_writes,
    },
    {
        .name = "freeze",
        .words = "MODULE",
        .summary = "hold the writes of a module for a while",
        .description =
            "New writes of the module wait; the answer comes when none is under way any more, or\n"
            "after --max-wait. Ends by itself after --ttl. Who waits longer than 5 s gets 503 "
            "with\n"
            "retry-after. Freezing again prolongs it.\n",
        .examples = "  strangler freeze users --max-wait 2s --ttl 60s\n",
        .words_min = 1,
        .words_max = 1,
        .kinds = {WORD_MODULE},
        .options = CHANGING | OPTION_BIT(OPTION_MAX_WAIT) | OPTION_BIT(OPTION_TTL),
        .run = command_freeze,
    },
    {
        .name = "unfreeze",
        .words = "MODULE",
        .summary = "let held writes go",
        .description = "Ends `freeze`: the writes that wait go on to their owner.\n",
        .words_min = 1,
        .words_max = 1,
        .kinds = {WORD_MODULE},
        .options = CHANGING,
        .run = command_unfreeze,
    },
    {
        .name = "confirm",
        .words = "MODULE",
        .summary = "keep a change that was made with --confirm-within",
        .description = "Keeps the change of a module that would else go back by itself.\n",
        .words_min = 1,
        .words_max = 1,
        .kinds = {WORD_MODULE},
        .options = CHANGING,
        .run = command_confirm,
    },
    {
        .name = "undo",
        .words = "[N]",
        .summary = "take back the newest change, or entry N of the history",
        .description = "Takes back a change: the newest that still holds, or entry N of `strangler "
                       "history`, if\n"
                       "nothing changed the same thing since. An undo is an entry of its own and "
                       "can be undone.\n",
        .examples = "  strangler undo --why 'wrong module'\n"
                    "  strangler undo 12\n",
        .words_max = 1,
        .kinds = {WORD_OTHER},
        .options = CHANGING,
        .run = command_undo,
    },
    {
        .name = "history",
        .words = "[MODULE]",
        .summary = "who changed what, when, and why",
        .description = "Shows the changes that were made while running, the newest first.\n",
        .examples = "  strangler history users -n 5\n",
        .words_max = 1,
        .kinds = {WORD_MODULE},
        .options = ASKING | OPTION_BIT(OPTION_LIMIT),
        .run = command_history,
    },
    {
        .name = "diff",
        .words = "",
        .summary = "what runs otherwise than the files say",
        .description = "Compares the files, as they are now, with what runs: values changed by "
                       "commands, aborts,\n"
                       "and what was edited and not yet reloaded. A value changed by a command "
                       "holds until the\n"
                       "file says something else.\n",
        .options = ASKING,
        .run = command_diff,
    },
    {
        .name = "save",
        .words = "[MODULE]",
        .summary = "write changed values into the files",
        .description =
            "Writes what runs (stage, percent, write_owner) into the file of a module, or of "
            "every\n"
            "module that was changed by commands. Only these values change; comments and layout\n"
            "stay. A value that somebody has edited in the file meanwhile stays, unless --force.\n",
        .examples = "  strangler save users && git diff routes/\n",
        .words_max = 1,
        .kinds = {WORD_MODULE},
        .options = CHANGING | OPTION_BIT(OPTION_FORCE),
        .run = command_save,
    },
    {
        .name = "mismatches",
        .words = "[MODULE]",
        .summary = "where the answers of both sides differ, most often first",
        .description = "Shows the differences that were found in copies of requests: by module, "
                       "path, field and\n"
                       "kind, the most frequent first. What was accepted stands at the end.\n",
        .examples = "  strangler mismatches users\n",
        .words_max = 1,
        .kinds = {WORD_MODULE},
        .options = ASKING | OPTION_BIT(OPTION_LIMIT),
        .run = command_mismatches,
    },
    {
        .name = "mismatch",
        .words = "show N",
        .summary = "one of them, with examples",
        .description =
            "Shows mismatch N: what both sides answered, for up to five requests, and what\n"
            "would make it wanted. Cookies and secrets are not in it.\n",
        .examples = "  strangler mismatch show 3\n",
        .words_min = 2,
        .words_max = 2,
        .kinds = {WORD_OTHER, WORD_OTHER},
        .options = ASKING,
        .run = command_mismatch,
    },
    {
        .name = "accept",
        .words = "N",
        .summary = "a difference is wanted, and no mismatch any more",
        .description =
            "Accepts mismatch N: the same difference (module, path, field, kind) does not\n"
            "count against the module any more. --why is needed.\n",
        .examples = "  strangler accept 3 --why 'dates have a time zone now'\n",
        .words_min = 1,
        .words_max = 1,
        .kinds = {WORD_OTHER},
        .options = ASKING | OPTION_BIT(OPTION_WHY),
        .run = command_accept,
    },
    {
        .name = "reload",
        .words = "",
        .summary = "read the files again, and wait until every worker has them",
        .description = "Reads the files again, as HUP does, and answers when every worker has "
                       "them. Files with\n"
                       "faults change nothing.\n",
        .options = CHANGING,
        .run = command_reload,
    },
    {
        .name = "generation",
        .words = "",
        .summary = "the number of the configuration in force",
        .description = "Prints the generation in force. Every change makes a new one.\n",
        .options = ASKING,
        .run = command_generation,
    },
    {
        .name = "routes",
        .words = "",
        .summary = "all routes, and where they stand in the files",
        .description =
            "Shows every route: what it takes, where it goes, in which file it stands.\n",
        .options = ASKING,
        .run = command_routes,
    },
    {
        .name = "backends",
        .words = "",
        .summary = "all endpoints, and how they are",
        .description = "Shows every endpoint of every backend and its state.\n",
        .options = ASKING,
        .run = command_backends,
    },
    {
        .name = "drain",
        .words = "ENDPOINT",
        .summary = "send no new requests to an endpoint",
        .description = "Takes an endpoint out of its backend's balancing: what is under way ends, "
                       "nothing new\n"
                       "begins there. --off puts it back. A restart of the proxy forgets it.\n"
                       "\n"
                       "  ENDPOINT  backend/address, as `strangler backends` shows it\n",
        .examples = "  strangler drain users/127.0.0.1:3001\n"
                    "  strangler drain users/127.0.0.1:3001 --off\n",
        .words_min = 1,
        .words_max = 1,
        .kinds = {WORD_ENDPOINT},
        .options = CHANGING | OPTION_BIT(OPTION_OFF),
        .run = command_drain,
    },
    {
        .name = "help",
        .words = "[COMMAND]",
        .summary = "this text, or all about one command",
        .description = "Shows all commands, or everything about one.\n",
        .exits = "0, or 2 when there is no such command.",
        .kinds = {WORD_COMMAND},
        .words_max = 1,
        .run = command_help,
    },
    {
        .name = "version",
        .words = "",
        .summary = "the version",
        .description = "Prints the version.\n",
        .exits = "0.",
        .run = command_version,
    },
    {.name = NULL},
};

const struct command *command_find(const char *name)
{
    for (const struct command *command = commands; command->name != NULL; command++) {
        if (strcmp(command->name, name) == 0)
            return command;
    }
    return NULL;
}
