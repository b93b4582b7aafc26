/* The commands that change a running proxy: each is one POST and the words for its answer. */
#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>

#include "proxy/cli/ask.h"
#include "proxy/cli/quantity.h"
#include "proxy/cli/terminal.h"
#include "proxy/cli/usage.h"
#include "proxy/cli/words.h"
#include "proxy/core/check.h"
#include "proxy/routing/bucket.h"

/* How long an answer may take: most come at once, those that wait for writes have limits of their
 * own in the proxy. */
enum { CHANGE_MS = 30000, WAITING_MS = 60000, WHO_BYTES = 100, NAME_BYTES = 65 };

/* --- what is sent -------------------------------------------------------------------------- */

/* "alice@host": behind sudo, too, the person. */
static json_t *who(void)
{
    char text[WHO_BYTES];
    char host[NAME_BYTES] = "";
    const char *name = getenv("SUDO_USER");
    const struct passwd *entry = getpwuid(getuid());
    if ((name == NULL || name[0] == '\0') && entry != NULL)
        name = entry->pw_name;
    if (gethostname(host, sizeof(host) - 1) != 0)
        host[0] = '\0';
    snprintf(text, sizeof(text), "%s@%s", name != NULL ? name : "somebody", host);
    json_t *value = json_string(text);
    return value != NULL ? value : json_string("somebody");
}

/* A duration of the command line as milliseconds; EXIT_USAGE after saying what is wrong. */
static int add_duration(const struct invocation *invocation, enum option option, const char *key,
                        json_t *body)
{
    const char *text = invocation->values[option];
    uint64_t duration_ms;
    if (text == NULL)
        return EXIT_DONE;
    if (!quantity_duration(strview_of(text), &duration_ms))
        return usage_fault(invocation->command->name,
                           "a duration is like 250ms, 30s, 10m, 2h or 7d, not `%s`", text);
    json_object_set_new(body, key, json_integer((json_int_t)duration_ms));
    return EXIT_DONE;
}

static int add_common(const struct invocation *invocation, json_t *body)
{
    const char *why = invocation->values[OPTION_WHY];
    json_object_set_new(body, "who", who());
    if (why != NULL) {
        json_t *text = json_string(why);
        if (text == NULL)
            return usage_fault(invocation->command->name, "--why is not UTF-8");
        json_object_set_new(body, "why", text);
    }
    if (invocation_has(invocation, OPTION_FORCE))
        json_object_set_new(body, "force", json_true());
    return add_duration(invocation, OPTION_CONFIRM_WITHIN, "confirm_within_ms", body);
}

/* --- what is said -------------------------------------------------------------------------- */

/* "users: stage legacy → ramp" */
static void print_items(const json_t *answer, FILE *out)
{
    char from[WORDS_VALUE_BYTES];
    char to[WORDS_VALUE_BYTES];
    size_t index;
    const json_t *item;
    json_array_foreach(json_object_get(answer, "changes"), index, item)
    {
        fprintf(out, "%s", terminal_begin(COLOUR_BOLD));
        terminal_print(out, answer_text(item, "module"));
        words_value(json_object_get(item, "from"), from);
        words_value(json_object_get(item, "to"), to);
        fprintf(out, "%s: %s ", terminal_end(), answer_text(item, "key"));
        terminal_print(out, from);
        fputs(" → ", out);
        terminal_print(out, to);
        fputc('\n', out);
    }
}

static void print_pending(const json_t *module, FILE *out)
{
    char back_to[WORDS_VALUE_BYTES];
    char when[WORDS_TIME_BYTES];
    const json_t *pending = json_object_get(module, "pending");
    if (!json_is_object(pending))
        return;
    words_value(json_object_get(pending, "back_to"), back_to);
    words_time(answer_text(pending, "revert_at"), when);
    fprintf(out, "%s%s goes back to %s at %s, unless `strangler confirm %s` comes before%s\n",
            terminal_begin(COLOUR_YELLOW), answer_text(pending, "key"), back_to, when,
            answer_text(module, "name"), terminal_end());
}

static void print_saved(const json_t *answer, FILE *out)
{
    size_t index;
    const json_t *row;
    json_array_foreach(json_object_get(answer, "saved"), index, row)
    {
        fprintf(out, "%s%s%s: written into ", terminal_begin(COLOUR_BOLD),
                answer_text(row, "module"), terminal_end());
        terminal_print(out, answer_text(row, "file"));
        fputc('\n', out);
    }
}

static void print_endpoint(const json_t *endpoint, FILE *out)
{
    if (json_is_object(endpoint))
        fprintf(out, "%s%s%s: %s\n", terminal_begin(COLOUR_BOLD), answer_text(endpoint, "endpoint"),
                terminal_end(), answer_text(endpoint, "state"));
}

static void print_accepted(const json_t *mismatch, FILE *out)
{
    const char *suggestion = answer_text(mismatch, "suggestion");
    if (!json_is_object(mismatch))
        return;
    fprintf(out, "mismatch %lld is accepted\n", answer_integer(mismatch, "id"));
    if (suggestion[0] == '\0')
        return;
    fputs("the same in the module's file: compare: { ", out);
    terminal_print(out, suggestion);
    fputs(" };\n", out);
}

static void print_change(const struct invocation *invocation, const json_t *answer, FILE *out)
{
    const char *note = answer_text(answer, "note");
    long long entry = answer_integer(answer, "entry");
    (void)invocation;
    print_items(answer, out);
    print_saved(answer, out);
    print_endpoint(json_object_get(answer, "endpoint"), out);
    print_accepted(json_object_get(answer, "mismatch"), out);
    if (!answer_flag(answer, "changed") && note[0] == '\0')
        fputs("nothing to change\n", out);
    print_pending(json_object_get(answer, "module"), out);
    if (note[0] != '\0') {
        terminal_print(out, note);
        fputc('\n', out);
    }
    fprintf(out, "%sgeneration %lld", terminal_begin(COLOUR_DIM),
            answer_integer(answer, "generation"));
    if (entry > 0)
        fprintf(out, ", entry %lld of the history", entry);
    fprintf(out, "%s\n", terminal_end());
}

/* --- the way between ----------------------------------------------------------------------- */

struct order {
    const struct invocation *invocation;
    char *path;   /* taken */
    json_t *body; /* taken */
    uint32_t timeout_ms;
    bool goes_on_without_all; /* does not wait for replicas that are not there */
};

/* `status` is how making the order went; other than EXIT_DONE: it is dropped. */
static int give(struct order *order, int status)
{
    if (status == EXIT_DONE)
        status = add_common(order->invocation, order->body);
    if (status == EXIT_DONE)
        status = ask_all(&(struct ask){
            .invocation = order->invocation,
            .question =
                {
                    .method = "POST",
                    .path = order->path,
                    .body = order->body,
                    .if_match = order->invocation->values[OPTION_IF_GENERATION],
                    .timeout_ms = order->timeout_ms > 0 ? order->timeout_ms : CHANGE_MS,
                },
            .needs_all = !order->goes_on_without_all,
            .print = print_change,
        });
    json_decref(order->body);
    free(order->path);
    return status;
}

/* Of the module that is the first word; without one, of all. */
static struct order order_of(const struct invocation *invocation, const char *rest)
{
    struct order order = {.invocation = invocation, .body = json_object()};
    order.path = invocation->word_count > 0 ? admin_client_module_path(invocation->words[0], rest)
                                            : strdup(rest);
    CHECK(order.path != NULL);
    return order;
}

int command_stage(const struct invocation *invocation)
{
    struct order order = order_of(invocation, "/stage");
    json_object_set_new(order.body, "stage", json_string(invocation->words[1]));
    return give(&order, EXIT_DONE);
}

int command_percent(const struct invocation *invocation)
{
    uint32_t threshold;
    if (!quantity_percent(strview_of(invocation->words[1]), &threshold))
        return usage_fault("percent",
                           "a percentage is 0 … 100 with at most four decimals, not `%s`",
                           invocation->words[1]);
    struct order order = order_of(invocation, "/percent");
    json_object_set_new(order.body, "percent", json_real((double)threshold / BUCKETS_PER_PERCENT));
    return give(&order, EXIT_DONE);
}

int command_abort(const struct invocation *invocation)
{
    struct order order = order_of(invocation, "/abort");
    order.goes_on_without_all = true;
    if (invocation_has(invocation, OPTION_WRITES)) {
        json_object_set_new(order.body, "writes", json_true());
        order.timeout_ms = WAITING_MS;
    }
    return give(&order, EXIT_DONE);
}

int command_resume(const struct invocation *invocation)
{
    struct order order = order_of(invocation, "/resume");
    return give(&order, EXIT_DONE);
}

static uint32_t wait_of(const json_t *body, const char *key, uint32_t otherwise_ms)
{
    json_int_t asked_ms = json_integer_value(json_object_get(body, key));
    return asked_ms > 0 && asked_ms < UINT32_MAX - otherwise_ms ? (uint32_t)asked_ms + otherwise_ms
                                                                : otherwise_ms;
}

int command_writes(const struct invocation *invocation)
{
    struct order order = order_of(invocation, "/writes");
    json_object_set_new(order.body, "owner", json_string(invocation->words[1]));
    int status = add_duration(invocation, OPTION_TIMEOUT, "timeout_ms", order.body);
    order.timeout_ms = wait_of(order.body, "timeout_ms", WAITING_MS);
    return give(&order, status);
}

int command_freeze(const struct invocation *invocation)
{
    struct order order = order_of(invocation, "/freeze");
    int status = add_duration(invocation, OPTION_MAX_WAIT, "max_wait_ms", order.body);
    if (status == EXIT_DONE)
        status = add_duration(invocation, OPTION_TTL, "ttl_ms", order.body);
    order.timeout_ms = wait_of(order.body, "max_wait_ms", CHANGE_MS);
    return give(&order, status);
}

int command_unfreeze(const struct invocation *invocation)
{
    struct order order = order_of(invocation, "/unfreeze");
    return give(&order, EXIT_DONE);
}

int command_confirm(const struct invocation *invocation)
{
    struct order order = order_of(invocation, "/confirm");
    return give(&order, EXIT_DONE);
}

int command_save(const struct invocation *invocation)
{
    struct order order = order_of(invocation, "/save");
    return give(&order, EXIT_DONE);
}

int command_reload(const struct invocation *invocation)
{
    struct order order = order_of(invocation, "/reload");
    order.timeout_ms = WAITING_MS;
    return give(&order, EXIT_DONE);
}

int command_undo(const struct invocation *invocation)
{
    struct order order = {.invocation = invocation, .path = strdup("/undo"), .body = json_object()};
    CHECK(order.path != NULL);
    uint64_t entry = 0;
    int status = EXIT_DONE;
    order.timeout_ms = WAITING_MS;
    if (invocation->word_count == 0)
        return give(&order, status);
    if (strview_to_u64(strview_of(invocation->words[0]), INT64_MAX, &entry) && entry > 0)
        json_object_set_new(order.body, "entry", json_integer((json_int_t)entry));
    else
        status = usage_fault("undo", "N is the number of an entry of `strangler history`, not `%s`",
                             invocation->words[0]);
    return give(&order, status);
}

int command_drain(const struct invocation *invocation)
{
    struct order order = {.invocation = invocation,
                          .path = strdup("/endpoints/drain"),
                          .body =
                              json_pack("{s:o, s:b}", "endpoint", json_string(invocation->words[0]),
                                        "drain", !invocation_has(invocation, OPTION_OFF))};
    CHECK(order.path != NULL);
    return give(&order, EXIT_DONE);
}

int command_accept(const struct invocation *invocation)
{
    char *number = admin_client_encode(invocation->words[0]);
    struct order order = {.invocation = invocation, .body = json_object()};
    CHECK(asprintf(&order.path, "/mismatches/%s/accept", number) >= 0);
    free(number);
    int status = EXIT_DONE;
    if (!invocation_has(invocation, OPTION_WHY))
        status = usage_fault("accept", "--why says why the difference is wanted");
    return give(&order, status);
}
