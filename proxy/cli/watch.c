#include "proxy/cli/watch.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "proxy/cli/terminal.h"
#include "proxy/core/check.h"

enum { INTERVAL_S = 1 };

struct watch {
    const struct invocation *invocation;
    const char *path;
    void (*print)(const struct invocation *invocation, const json_t *answer, FILE *out);
    bool as_json;
    bool has_answered;
};

static void draw_place(struct watch *watch, const struct admin_place *place, FILE *out)
{
    struct admin_answer_told told;
    const struct admin_question question = {
        .method = "GET", .path = watch->path, .timeout_ms = ASK_READ_MS};
    admin_client_ask(place, &question, &told);
    bool good = told.outcome == ADMIN_ANSWERED && told.status == 200 && json_is_object(told.body);
    watch->has_answered = watch->has_answered || good;
    if (place->is_one_of_many && !watch->as_json)
        fprintf(out, "%s%s%s\n", terminal_begin(COLOUR_BOLD), place->address, terminal_end());
    if (good && watch->as_json) {
        json_dumpf(told.body, out, JSON_COMPACT | JSON_REAL_PRECISION(12));
        fputc('\n', out);
    } else if (good) {
        watch->print(watch->invocation, told.body, out);
    } else if (watch->has_answered && !watch->as_json) {
        fprintf(out, "%s%s does not answer%s: %s\n", terminal_begin(COLOUR_RED), place->address,
                terminal_end(),
                told.fault[0] != '\0' ? told.fault : answer_text(told.body, "detail"));
    } else {
        ask_status(watch->invocation, place, &told);
    }
    admin_client_done(&told);
}

/* Over what stands there: each line is cleared to its end and not wrapped, and all below it. */
static void put_in_place(const char *frame)
{
    fputs("\033[H\033[?7l", stdout);
    for (const char *c = frame; *c != '\0'; c++) {
        if (*c == '\n')
            fputs("\033[K", stdout);
        putchar(*c);
    }
    fputs("\033[J\033[?7h", stdout);
}

static void draw(struct watch *watch, const struct admin_places *places)
{
    char *frame = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&frame, &length);
    CHECK(out != NULL);
    for (size_t i = 0; i < places->count; i++)
        draw_place(watch, &places->items[i], out);
    fclose(out);
    if (terminal_is_interactive() && !watch->as_json)
        put_in_place(frame);
    else
        printf("%s%s", frame, watch->as_json || frame[0] == '\0' ? "" : "\n");
    fflush(stdout);
    free(frame);
}

int watch_page(const struct invocation *invocation, const char *path,
               void (*print)(const struct invocation *, const json_t *answer, FILE *out))
{
    struct watch watch = {invocation, path, print, invocation_has(invocation, OPTION_JSON), false};
    struct admin_places places;
    int status = admin_places_find(invocation, &places);
    if (status == EXIT_DONE && terminal_is_interactive() && !watch.as_json)
        fputs("\033[2J", stdout);
    while (status == EXIT_DONE && !ferror(stdout)) {
        draw(&watch, &places);
        if (!watch.has_answered)
            status = EXIT_UNREACHABLE;
        else
            clock_nanosleep(CLOCK_MONOTONIC, 0, &(struct timespec){.tv_sec = INTERVAL_S}, NULL);
    }
    admin_places_done(&places);
    return status;
}
