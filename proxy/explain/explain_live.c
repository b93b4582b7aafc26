/* How the module is that a running proxy explained with: what is not as its file says. */
#include <string.h>

#include "proxy/explain/explain_words.h"

/* "by alice since 2026-11-22T09:00:01.250Z: why" */
static void print_note(FILE *out, const char *what, const json_t *note, const char *time_key)
{
    const char *why = explain_text(note, "why");
    explain_line(out, "", "%s by %s, %s%s%s", what, explain_text(note, "who"),
                 explain_text(note, time_key), why[0] != '\0' ? ": " : "", why);
}

static void print_overrides(const json_t *live, FILE *out)
{
    char what[128];
    size_t index;
    const json_t *override;
    json_array_foreach(json_object_get(live, "overrides"), index, override)
    {
        char *file = json_dumps(json_object_get(override, "file"), JSON_ENCODE_ANY);
        snprintf(what, sizeof(what), "%s set (the file says %s)", explain_text(override, "key"),
                 file != NULL ? file : "?");
        print_note(out, what, override, "at");
        free(file);
    }
}

void explain_print_live(const json_t *found, FILE *out)
{
    const json_t *live = json_object_get(found, "live");
    const json_t *generation = json_object_get(found, "generation");
    if (!json_is_integer(generation))
        return;
    explain_line(out, "running", "generation %lld", (long long)json_integer_value(generation));
    if (!json_is_object(live))
        return;
    if (json_is_object(json_object_get(live, "aborted")))
        print_note(out, "aborted", json_object_get(live, "aborted"), "since");
    if (json_is_object(json_object_get(live, "frozen")))
        print_note(out, "writes frozen", json_object_get(live, "frozen"), "since");
    if (json_is_true(json_object_get(live, "flipping")))
        explain_line(out, "", "the owner of writes is being changed");
    if (json_is_object(json_object_get(live, "pending")))
        explain_line(out, "", "%s goes back at %s unless it is confirmed",
                     explain_text(json_object_get(live, "pending"), "key"),
                     explain_text(json_object_get(live, "pending"), "revert_at"));
    print_overrides(live, out);
}
