#include "proxy/cli/terminal.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool is_terminal;
static bool has_colours;

void terminal_init(void)
{
    const char *no_color = getenv("NO_COLOR"); /* no-color.org: present and not empty */
    const char *kind = getenv("TERM");
    is_terminal = isatty(STDOUT_FILENO) != 0;
    has_colours = is_terminal && (no_color == NULL || no_color[0] == '\0') &&
                  (kind == NULL || strcmp(kind, "dumb") != 0);
}

bool terminal_is_interactive(void)
{
    return is_terminal;
}

const char *terminal_begin(enum colour colour)
{
    static const char *const codes[] = {
        [COLOUR_NONE] = "",          [COLOUR_DIM] = "\033[2m",     [COLOUR_BOLD] = "\033[1m",
        [COLOUR_GREEN] = "\033[32m", [COLOUR_YELLOW] = "\033[33m", [COLOUR_RED] = "\033[31m",
    };
    return has_colours ? codes[colour] : "";
}

const char *terminal_end(void)
{
    return has_colours ? "\033[0m" : "";
}

size_t terminal_width(const char *text)
{
    size_t width = 0;
    for (; *text != '\0'; text++)
        width += ((unsigned char)*text & 0xc0) != 0x80;
    return width;
}

void terminal_print(FILE *out, const char *text)
{
    for (; text != NULL && *text != '\0'; text++)
        fputc((unsigned char)*text >= 0x20 && *text != 0x7f ? *text : '?', out);
}
