#include "proxy/cli/usage.h"

#include <getopt.h>
#include <stdarg.h>
#include <string.h>

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

int usage_option_fault(const char *command, char **argv, int result)
{
    const char *word = argv[optind - 1];
    char letter[] = {'-', (char)optopt, '\0'};
    /* A letter may stand among others, and then its word is not the last one taken. */
    if (optopt != 0 && strncmp(word, "--", 2) != 0)
        word = letter;
    if (result == ':')
        return usage_fault(command, "`%s` needs a value", word);
    return optopt != 0 && word != letter ? usage_fault(command, "`%s`: it takes no value", word)
                                         : usage_fault(command, "there is no option `%s`", word);
}
