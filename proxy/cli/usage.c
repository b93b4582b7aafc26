#include "proxy/cli/usage.h"

#include <stdarg.h>

#include "proxy/config/suggestion.h"

int usage_fault(const char *command, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "strangler %s: ", command);
    vfprintf(stderr, format, arguments);
    fprintf(stderr, "\nTry `strangler %s --help`.\n", command);
    va_end(arguments);
    return EXIT_USAGE;
}

int usage_unknown_command(const char *word)
{
    struct suggestion suggestion = suggestion_begin(strview_of(word));
    struct strview begun = STRVIEW_NONE; /* `stat` is far from `status`, and its beginning */
    for (const struct command *command = commands; command->name != NULL; command++) {
        struct strview name = strview_of(command->name);
        suggestion_offer(&suggestion, name);
        if (begun.length == 0 && word[0] != '\0' && strview_starts_with(name, suggestion.wrong))
            begun = name;
    }
    if (suggestion.best.length == 0)
        suggestion.best = begun;
    fprintf(stderr, "strangler: there is no command `%s`", word);
    if (suggestion.best.length > 0)
        fprintf(stderr, "; did you mean `%.*s`?", STRVIEW_ARGS(suggestion.best));
    fputs("\n`strangler help` shows all.\n", stderr);
    return EXIT_USAGE;
}

int problem(const char *command, int status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "strangler %s: ", command);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    return status;
}
