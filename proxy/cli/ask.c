#include "proxy/cli/ask.h"

#include <stdlib.h>

#include "proxy/cli/terminal.h"
#include "proxy/cli/usage.h"

enum { PREFLIGHT_MS = 5000 };

const char *answer_text(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text != NULL ? text : "";
}

double answer_number(const json_t *object, const char *key)
{
    return json_number_value(json_object_get(object, key));
}

long long answer_integer(const json_t *object, const char *key)
{
    return (long long)json_integer_value(json_object_get(object, key));
}

bool answer_flag(const json_t *object, const char *key)
{
    return json_is_true(json_object_get(object, key));
}

/* --- what goes wrong ----------------------------------------------------------------------- */

static void begin_complaint(const struct invocation *invocation, const struct admin_place *place)
{
    fprintf(stderr, "strangler %s: ", invocation->command->name);
    if (place->is_one_of_many)
        fprintf(stderr, "%s: ", place->address);
}

static int complain_unreachable(const struct invocation *invocation,
                                const struct admin_place *place,
                                const struct admin_answer_told *told)
{
    fprintf(stderr, "strangler %s: ", invocation->command->name);
    if (told->outcome == ADMIN_UNREACHABLE)
        fprintf(stderr, "no proxy answers at %s (%s)\n", place->address, told->fault);
    else
        fprintf(stderr,
                "%s was asked, and its answer did not come (%s): look with `strangler status` and "
                "`strangler history` whether it was done\n",
                place->address, told->fault);
    return EXIT_UNREACHABLE;
}

static int complain_refused(const struct invocation *invocation, const struct admin_place *place,
                            const struct admin_answer_told *told)
{
    const char *detail = answer_text(told->body, "detail");
    const char *suggestion = answer_text(told->body, "suggestion");
    begin_complaint(invocation, place);
    terminal_print(stderr, detail[0] != '\0' ? detail : "the proxy refused");
    if (suggestion[0] != '\0') {
        fputs("; did you mean `", stderr);
        terminal_print(stderr, suggestion);
        fputs("`?", stderr);
    }
    if (told->status == 401 && place->token == NULL)
        fputs("\nSTRANGLER_ADMIN_TOKEN_FILE, or --config, says where the token is.", stderr);
    fputc('\n', stderr);
    return EXIT_PROBLEM;
}

int ask_status(const struct invocation *invocation, const struct admin_place *place,
               const struct admin_answer_told *told)
{
    if (told->outcome != ADMIN_ANSWERED)
        return complain_unreachable(invocation, place, told);
    if (told->status != 200)
        return complain_refused(invocation, place, told);
    if (json_is_object(told->body))
        return EXIT_DONE;
    begin_complaint(invocation, place);
    fputs("what answers there is no strangler\n", stderr);
    return EXIT_PROBLEM;
}

/* --- asking -------------------------------------------------------------------------------- */

static int worse(int a, int b)
{
    return a > b ? a : b;
}

/* Are all of them there, and is the token right? */
static int preflight(const struct ask *ask, const struct admin_places *places)
{
    int status = EXIT_DONE;
    const struct admin_question question = {
        .method = "GET", .path = "/generation", .timeout_ms = PREFLIGHT_MS};
    for (size_t i = 0; i < places->count; i++) {
        struct admin_answer_told told;
        admin_client_ask(&places->items[i], &question, &told);
        status = worse(status, ask_status(ask->invocation, &places->items[i], &told));
        admin_client_done(&told);
    }
    if (status != EXIT_DONE)
        fputs("Nothing was changed anywhere; leave out the --admin of a proxy to go on without "
              "it.\n",
              stderr);
    return status;
}

static void print_json(const json_t *value)
{
    json_dumpf(value, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(12));
    putchar('\n');
}

static json_t *named_answer(const struct admin_place *place, int status,
                            const struct admin_answer_told *told)
{
    json_t *row = json_pack("{s:s, s:b}", "admin", place->address, "done", status == EXIT_DONE);
    if (told->body != NULL)
        json_object_set(row, "answer", told->body);
    else
        json_object_set_new(row, "fault", json_string(told->fault));
    return row;
}

static void print_answer(const struct ask *ask, const struct admin_places *places, size_t index,
                         const json_t *answer)
{
    if (places->count > 1)
        printf("%s%s%s%s\n", index > 0 ? "\n" : "", terminal_begin(COLOUR_BOLD),
               places->items[index].address, terminal_end());
    ask->print(ask->invocation, answer, stdout);
}

static void report_taken(size_t taken, size_t all)
{
    if (all > 1)
        fprintf(taken < all ? stderr : stdout, "\n%zu of %zu proxies took it\n", taken, all);
}

static int ask_each(const struct ask *ask, const struct admin_places *places)
{
    int status = EXIT_DONE;
    size_t taken = 0;
    bool as_json = invocation_has(ask->invocation, OPTION_JSON);
    json_t *rows = json_array();
    for (size_t i = 0; i < places->count; i++) {
        struct admin_answer_told told;
        admin_client_ask(&places->items[i], &ask->question, &told);
        int own = ask_status(ask->invocation, &places->items[i], &told);
        taken += own == EXIT_DONE;
        status = worse(status, own);
        if (as_json)
            json_array_append_new(rows, named_answer(&places->items[i], own, &told));
        else if (own == EXIT_DONE)
            print_answer(ask, places, i, told.body);
        admin_client_done(&told);
    }
    json_t *only = json_object_get(json_array_get(rows, 0), "answer");
    if (as_json && places->count > 1)
        print_json(rows);
    else if (as_json && only != NULL)
        print_json(only);
    else if (!as_json && ask->question.body != NULL)
        report_taken(taken, places->count);
    json_decref(rows);
    return status;
}

int ask_all(const struct ask *ask)
{
    struct admin_places places;
    int status = admin_places_find(ask->invocation, &places);
    if (status == EXIT_DONE && ask->needs_all && places.count > 1)
        status = preflight(ask, &places);
    if (status == EXIT_DONE)
        status = ask_each(ask, &places);
    admin_places_done(&places);
    return status;
}

int ask_page(const struct invocation *invocation, const char *path,
             void (*print)(const struct invocation *, const json_t *answer, FILE *out))
{
    return ask_all(&(struct ask){
        .invocation = invocation,
        .question = {.method = "GET", .path = path, .timeout_ms = ASK_READ_MS},
        .print = print,
    });
}
