#include "proxy/cli/side_by_side.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "proxy/cli/terminal.h"
#include "proxy/core/array.h"
#include "proxy/core/check.h"

enum { LINES_MAX = 400, COLUMNS_DEFAULT = 100, COLUMNS_MIN = 40, INDENT_MAX = 40 };

/* --- an answer as text --------------------------------------------------------------------- */

static void new_line(FILE *out, unsigned depth)
{
    fprintf(out, "\n%*s", (int)(2 * depth < INDENT_MAX ? 2 * depth : INDENT_MAX), "");
}

/* Breaks outside of texts; nothing else is touched, so that numbers are as they were. */
static void write_json(const char *json, FILE *out)
{
    unsigned depth = 0;
    bool in_text = false;
    for (const char *at = json; *at != '\0'; at++) {
        bool closes = !in_text && (*at == '}' || *at == ']');
        bool is_empty = closes && at > json && (at[-1] == '{' || at[-1] == '[');
        depth -= closes && depth > 0 ? 1 : 0;
        if (closes && !is_empty)
            new_line(out, depth);
        if (in_text && *at == '\\' && at[1] != '\0')
            fputc(*at++, out);
        else if (*at == '"')
            in_text = !in_text;
        fputc(*at, out);
        bool opens = !in_text && (*at == '{' || *at == '[');
        depth += opens ? 1 : 0;
        if ((opens && at[1] != '}' && at[1] != ']') || (!in_text && *at == ','))
            new_line(out, depth);
    }
}

/* A line a tag. */
static void write_html(const char *html, FILE *out)
{
    for (const char *at = html; *at != '\0'; at++) {
        if (*at == '<' && at > html && at[-1] == '>')
            fputc('\n', out);
        fputc(*at, out);
    }
}

char *side_by_side_text(long long status, const char *head, const char *body)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);
    CHECK(out != NULL);
    fprintf(out, "%lld\n%s\n", status, head);
    if (body[0] == '{' || body[0] == '[')
        write_json(body, out);
    else if (body[0] == '<')
        write_html(body, out);
    else
        fputs(body, out);
    fclose(out);
    return text;
}

/* --- lines --------------------------------------------------------------------------------- */

struct line {
    const char *text;
    size_t length;
};

struct lines {
    struct line items[LINES_MAX];
    size_t count;
    bool more;
};

static void split(const char *text, struct lines *lines)
{
    lines->count = 0;
    lines->more = false;
    while (*text != '\0') {
        size_t length = strcspn(text, "\n");
        if (lines->count == LINES_MAX) {
            lines->more = true;
            return;
        }
        lines->items[lines->count++] = (struct line){text, length};
        text += length + (text[length] == '\n' ? 1 : 0);
    }
}

static bool lines_are_equal(const struct line *a, const struct line *b)
{
    return a->length == b->length && memcmp(a->text, b->text, a->length) == 0;
}

/* How many lines are common from each pair of places on: the longest common subsequence. */
struct diff {
    struct lines first;
    struct lines second;
    uint16_t common[LINES_MAX + 1][LINES_MAX + 1];
};

static void find_common(struct diff *diff)
{
    for (size_t i = diff->first.count; i-- > 0;) {
        for (size_t j = diff->second.count; j-- > 0;) {
            uint16_t down = diff->common[i + 1][j];
            uint16_t right = diff->common[i][j + 1];
            if (lines_are_equal(&diff->first.items[i], &diff->second.items[j]))
                diff->common[i][j] = (uint16_t)(diff->common[i + 1][j + 1] + 1);
            else
                diff->common[i][j] = down > right ? down : right;
        }
    }
}

/* --- printing ------------------------------------------------------------------------------ */

static size_t columns_of_terminal(void)
{
    struct winsize size;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
        return COLUMNS_DEFAULT;
    return size.ws_col > COLUMNS_MIN ? size.ws_col : COLUMNS_MIN;
}

/* The line, cut or filled up to `width` columns; 0: as it is. */
static void print_line(const struct line *line, enum colour colour, size_t width, FILE *out)
{
    char *text = line != NULL ? memory_strndup(line->text, line->length) : memory_strdup("");
    size_t end = 0;
    size_t columns = 0;
    while (text[end] != '\0' && (width == 0 || columns < width)) {
        end++;
        while (((unsigned char)text[end] & 0xc0) == 0x80)
            end++;
        columns++;
    }
    text[end] = '\0';
    fputs(terminal_begin(colour), out);
    terminal_print(out, text);
    fputs(terminal_end(), out);
    if (width > columns)
        fprintf(out, "%*s", (int)(width - columns), "");
    free(text);
}

static void print_pair(const struct line *first, const struct line *second, bool equal, FILE *out)
{
    size_t width = (columns_of_terminal() - 3) / 2;
    print_line(first, equal ? COLOUR_NONE : COLOUR_RED, width, out);
    fputs(equal ? "   " : " | ", out);
    print_line(second, equal ? COLOUR_NONE : COLOUR_GREEN, 0, out);
    fputc('\n', out);
}

static void print_single(char sign, const struct line *line, FILE *out)
{
    fprintf(out, "%c ", sign);
    print_line(line, COLOUR_NONE, 0, out);
    fputc('\n', out);
}

/* A run of lines that are not common: those of the first, and those of the second. */
static void print_run(const struct diff *diff, const size_t from[2], const size_t to[2], FILE *out)
{
    size_t left = from[0];
    size_t right = from[1];
    while (terminal_is_interactive() && (left < to[0] || right < to[1])) {
        const struct line *first = left < to[0] ? &diff->first.items[left++] : NULL;
        const struct line *second = right < to[1] ? &diff->second.items[right++] : NULL;
        print_pair(first, second, false, out);
    }
    while (left < to[0])
        print_single('-', &diff->first.items[left++], out);
    while (right < to[1])
        print_single('+', &diff->second.items[right++], out);
}

static void print_diff(const struct diff *diff, FILE *out)
{
    size_t at[2] = {0, 0};
    size_t run[2] = {0, 0}; /* where lines that are not common begin */
    while (at[0] < diff->first.count && at[1] < diff->second.count) {
        const struct line *first = &diff->first.items[at[0]];
        const struct line *second = &diff->second.items[at[1]];
        if (!lines_are_equal(first, second)) {
            bool down = diff->common[at[0] + 1][at[1]] >= diff->common[at[0]][at[1] + 1];
            at[down ? 0 : 1]++;
            continue;
        }
        print_run(diff, run, at, out);
        if (terminal_is_interactive())
            print_pair(first, second, true, out);
        else
            print_single(' ', first, out);
        run[0] = ++at[0];
        run[1] = ++at[1];
    }
    const size_t end[2] = {diff->first.count, diff->second.count};
    print_run(diff, run, end, out);
}

void side_by_side_print(const char *first, const char *second, FILE *out)
{
    struct diff *diff = memory_zalloc(sizeof(*diff));
    split(first, &diff->first);
    split(second, &diff->second);
    find_common(diff);
    print_diff(diff, out);
    if (diff->first.more || diff->second.more)
        fputs("(the rest is left out)\n", out);
    free(diff);
}
