/* `strangler explain`: what happens to one request, by the running proxy or by the files alone. */
#include <stdlib.h>

#include "proxy/cli/ask.h"
#include "proxy/cli/usage.h"
#include "proxy/config/settings.h"
#include "proxy/core/array.h"
#include "proxy/explain/explain.h"
#include "proxy/explain/explain_print.h"

/* A local proxy answers at once; for a far one nobody waits long when the files can answer, too. */
enum { LIVE_MS = 5000 };

static const char files_only[] =
    "\nFrom the files alone: what was changed by commands since is not seen.\n";

/* --- offline ------------------------------------------------------------------------------- */

static void print(const struct invocation *invocation, const json_t *found, const char *remark)
{
    if (invocation_has(invocation, OPTION_JSON)) {
        json_dumpf(found, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(12));
        putchar('\n');
        return;
    }
    explain_print(found, stdout);
    fputs(remark, stdout);
}

static int explain_with(const struct invocation *invocation, const struct explain_words *words,
                        const struct snapshot *snapshot)
{
    struct fault fault;
    json_t *found = explain(snapshot, words, &fault);
    if (found == NULL)
        return usage_fault("explain", "%s", fault.text);
    print(invocation, found, files_only);
    json_decref(found);
    return EXIT_DONE;
}

static int explain_offline(const struct invocation *invocation, const struct explain_words *words)
{
    const char *path = invocation->values[OPTION_CONFIG];
    struct config_report report;
    config_report_init(&report);
    struct endpoint_registry *registry = endpoint_registry_new();
    struct settings *settings = settings_load(path != NULL ? path : "routes", &report);
    struct snapshot *snapshot =
        settings != NULL ? snapshot_build_offline(settings, registry, &report) : NULL;
    int status = EXIT_PROBLEM;
    struct fault fault;
    /* Without keys a pin is said to be one that cannot be verified. */
    if (snapshot != NULL)
        (void)snapshot_read_pin_keys(snapshot, snapshot->state_dir.data, false, &fault);
    if (snapshot == NULL)
        config_report_print(&report, stderr);
    else
        status = explain_with(invocation, words, snapshot);
    snapshot_unref(snapshot);
    settings_free(settings);
    endpoint_registry_free(registry);
    config_report_done(&report);
    return status;
}

/* --- live ---------------------------------------------------------------------------------- */

static json_t *text_of(struct strview text)
{
    return json_stringn(text.data, text.length);
}

static json_t *body_of(const struct explain_words *words)
{
    json_t *headers = json_array();
    for (size_t i = 0; i < words->header_count; i++)
        json_array_append_new(headers, text_of(words->headers[i]));
    json_t *body = json_object();
    json_object_set_new(body, "method", text_of(words->method));
    json_object_set_new(body, "url", text_of(words->url));
    json_object_set_new(body, "headers", headers);
    json_object_set_new(body, "from", text_of(words->from));
    return body;
}

/* EXIT_UNREACHABLE: the files may answer instead. */
static int explain_status(const struct invocation *invocation, const struct admin_place *place,
                          const struct admin_answer_told *told)
{
    if (told->outcome != ADMIN_ANSWERED)
        return problem("explain", EXIT_UNREACHABLE, "no proxy answers at %s (%s)", place->address,
                       told->fault);
    if (told->status == 401 && place->token == NULL)
        return problem("explain", EXIT_UNREACHABLE, "the proxy at %s wants its token",
                       place->address);
    if (told->status == 422)
        return usage_fault("explain", "%s", answer_text(told->body, "detail"));
    return ask_status(invocation, place, told);
}

static int explain_at(const struct invocation *invocation, const struct admin_place *place,
                      const json_t *body)
{
    struct admin_answer_told told;
    const struct admin_question question = {
        .method = "POST", .path = "/explain", .body = body, .timeout_ms = LIVE_MS};
    admin_client_ask(place, &question, &told);
    int status = explain_status(invocation, place, &told);
    if (status == EXIT_DONE && place->is_one_of_many)
        printf("%s\n", place->address);
    if (status == EXIT_DONE)
        print(invocation, told.body, "");
    admin_client_done(&told);
    return status;
}

static int explain_live(const struct invocation *invocation, const struct explain_words *words)
{
    struct admin_places places;
    int status = admin_places_find_if_named(invocation, &places);
    json_t *body = body_of(words);
    for (size_t i = 0; i < places.count && status == EXIT_DONE; i++)
        status = explain_at(invocation, &places.items[i], body);
    json_decref(body);
    admin_places_done(&places);
    return status;
}

int command_explain(const struct invocation *invocation)
{
    size_t count = invocation->headers.count;
    const char *from = invocation->values[OPTION_FROM];
    struct strview *headers = memory_zalloc((count + 1) * sizeof(*headers));
    for (size_t i = 0; i < count; i++)
        headers[i] = strview_of(invocation->headers.items[i]);
    struct explain_words words = {
        .method = strview_of(invocation->words[0]),
        .url = strview_of(invocation->words[1]),
        .headers = headers,
        .header_count = count,
        .from = strview_of(from != NULL ? from : "127.0.0.1"),
    };
    bool offline = invocation_has(invocation, OPTION_CONFIG);
    int status = offline ? EXIT_UNREACHABLE : explain_live(invocation, &words);
    if (status == EXIT_UNREACHABLE && invocation->admins.count == 0)
        status = explain_offline(invocation, &words);
    free(headers);
    return status;
}
