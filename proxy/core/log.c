#include "proxy/core/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LINE_BYTES = 2048 };

static enum log_level lowest = LOG_LEVEL_INFO;

static const char *const level_names[] = {
    [LOG_LEVEL_DEBUG] = "debug",
    [LOG_LEVEL_INFO] = "info",
    [LOG_LEVEL_WARNING] = "warning",
    [LOG_LEVEL_ERROR] = "error",
};

void log_set_level(enum log_level level)
{
    lowest = level;
}

/* Appends `text` with everything but printable ASCII escaped. */
static size_t append_escaped(char *line, size_t used, const char *text)
{
    for (; *text != '\0' && used + 5 < LINE_BYTES; text++) {
        unsigned char c = (unsigned char)*text;
        if (c >= 0x20 && c < 0x7f)
            line[used++] = (char)c;
        else
            used += (size_t)snprintf(line + used, 5, "\\x%02x", c);
    }
    return used;
}

void log_write(enum log_level level, const char *format, ...)
{
    if (level < lowest)
        return;
    char text[LINE_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);

    struct timespec now;
    struct tm parts;
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &parts);
    char line[LINE_BYTES];
    size_t used = strftime(line, sizeof(line), "%Y-%m-%dT%H:%M:%S", &parts);
    used += (size_t)snprintf(line + used, sizeof(line) - used,
                             ".%03ldZ strangler %s: ", now.tv_nsec / 1000000, level_names[level]);
    used = append_escaped(line, used, text);
    line[used++] = '\n';
    /* One write a line, so that lines of several threads never mix. There is nobody to tell when
     * standard error itself fails. */
    ssize_t ignored = write(STDERR_FILENO, line, used);
    (void)ignored;
}
