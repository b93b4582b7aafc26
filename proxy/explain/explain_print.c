#include "proxy/explain/explain_print.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "proxy/core/check.h"
#include "proxy/explain/explain_words.h"

enum { LABEL_WIDTH = 10 };

const char *explain_text(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text != NULL ? text : "";
}

static bool is_true(const json_t *object, const char *key)
{
    return json_is_true(json_object_get(object, key));
}

void explain_line(FILE *out, const char *label, const char *format, ...)
{
    char *text;
    va_list arguments;
    va_start(arguments, format);
    CHECK(vasprintf(&text, format, arguments) >= 0);
    va_end(arguments);
    fprintf(out, "%-*s", LABEL_WIDTH, label);
    for (const char *c = text; *c != '\0'; c++)
        fputc((unsigned char)*c >= 0x20 && *c != 0x7f ? *c : '?', out);
    fputc('\n', out);
    free(text);
}

static void print_request(const json_t *found, FILE *out)
{
    const json_t *request = json_object_get(found, "request");
    const char *target = explain_text(request, "target");
    explain_line(out, "request", "%s %s://%s%s%s, from %s", explain_text(request, "method"),
                 explain_text(request, "scheme"), explain_text(request, "authority"),
                 target[0] == '/' ? "" : " ", target, explain_text(request, "client"));
    const char *kind = explain_text(found, "path_kind");
    const char *path = explain_text(found, "path");
    bool is_same = strncmp(target, path, strlen(path)) == 0;
    if (strcmp(kind, "canonical") == 0)
        explain_line(out, "path", "%s%s", path,
                     is_same ? "" : " (canonical; routes and backends see this one)");
    else if (strcmp(kind, "ambiguous") == 0)
        explain_line(out, "path", "ambiguous");
}

static void print_route(const json_t *found, FILE *out)
{
    const json_t *route = json_object_get(found, "route");
    if (!json_is_object(route)) {
        explain_line(out, "route", "none");
        return;
    }
    explain_line(out, "route", "%s (%s:%lld)", explain_text(route, "name"),
                 explain_text(route, "file"),
                 (long long)json_integer_value(json_object_get(route, "line")));
}

static void print_module(const json_t *found, FILE *out)
{
    const json_t *module = json_object_get(found, "module");
    if (!json_is_object(module))
        return;
    explain_line(out, "module", "%s, stage %s, %.10g %%, write_owner %s%s%s",
                 explain_text(module, "name"), explain_text(module, "stage"),
                 json_number_value(json_object_get(module, "percent")),
                 explain_text(module, "write_owner"), is_true(module, "aborted") ? ", aborted" : "",
                 is_true(module, "frozen") ? ", frozen" : "");
}

static void print_bucket(const json_t *found, FILE *out)
{
    const json_t *module = json_object_get(found, "module");
    const json_t *bucket = json_object_get(found, "bucket");
    if (!json_is_integer(bucket))
        return;
    explain_line(out, "bucket", "%lld; below %lld (%.10g %%) is the extracted side",
                 (long long)json_integer_value(bucket),
                 (long long)json_integer_value(json_object_get(module, "threshold")),
                 json_number_value(json_object_get(module, "percent")));
}

static bool needs_no_identity(const json_t *module)
{
    const char *stage = explain_text(module, "stage");
    return strcmp(stage, "legacy") == 0 || strcmp(stage, "retired") == 0;
}

static void print_identity(const json_t *found, FILE *out)
{
    const json_t *identity = json_object_get(found, "identity");
    const json_t *module = json_object_get(found, "module");
    if (json_is_object(identity)) {
        const char *name = explain_text(identity, "name");
        explain_line(out, "identity", "%s (%s%s%s)", explain_text(identity, "value"),
                     explain_text(identity, "source"), name[0] != '\0' ? " " : "", name);
        if (is_true(identity, "assigned"))
            explain_line(out, "", "a new visitor gets this cookie: another one is drawn each time");
    } else if (json_is_object(module)) {
        explain_line(out, "identity",
                     needs_no_identity(module) ? "not needed in this stage" : "none");
    }
    print_bucket(found, out);
}

/* An override or a pin, whether or not it decides. */
static void print_wish(const json_t *found, const char *key, FILE *out)
{
    const json_t *wish = json_object_get(found, key);
    if (!json_is_object(wish))
        return;
    const char *side = explain_text(wish, "side");
    const json_t *left = json_object_get(wish, "left_ms");
    explain_line(out, key, "%s%s%s", side, side[0] != '\0' ? ": " : "", explain_text(wish, "note"));
    if (json_is_integer(left))
        explain_line(out, "", "for %lld ms more", (long long)json_integer_value(left));
}

static void print_sent(const json_t *found, FILE *out)
{
    const json_t *endpoints = json_object_get(found, "endpoints");
    if (json_is_object(json_object_get(found, "module")))
        explain_line(out, "side", "%s", explain_text(found, "side"));
    const char *first = json_string_value(json_array_get(endpoints, 0));
    explain_line(out, "backend", "%s (%s, %s%s)", explain_text(found, "backend"),
                 explain_text(found, "protocol"), first != NULL ? first : "",
                 json_array_size(endpoints) > 1 ? ", …" : "");
    explain_line(out, "sends", "%s %s%s%s",
                 explain_text(json_object_get(found, "request"), "method"),
                 explain_text(found, "sent_path"), explain_text(found, "sent_query"),
                 is_true(found, "rewritten") ? " (rewritten)" : "");
    const json_t *patience = json_object_get(found, "fallback_after_ms");
    if (json_is_integer(patience))
        explain_line(out, "fallback", "legacy, if this fails or says nothing for %lld ms",
                     (long long)json_integer_value(patience));
}

static void print_outcome(const json_t *found, FILE *out)
{
    const json_t *status = json_object_get(found, "status");
    if (json_is_integer(status)) {
        explain_line(out, "answers", "%lld, from the proxy itself",
                     (long long)json_integer_value(status));
        return;
    }
    print_identity(found, out);
    print_wish(found, "override", out);
    print_wish(found, "pin", out);
    if (is_true(found, "held"))
        explain_line(out, "waits", "until the module's writes are let go");
    else
        print_sent(found, out);
}

void explain_print(const json_t *found, FILE *out)
{
    print_request(found, out);
    if (strcmp(explain_text(found, "reason"), "rejected") != 0) {
        print_route(found, out);
        print_module(found, out);
    }
    explain_line(out, "kind", "%s", explain_text(found, "kind"));
    print_outcome(found, out);
    explain_line(out, "reason", "%s", explain_text(found, "reason"));
    explain_line(out, "why", "%s", explain_text(found, "why"));
    explain_print_live(found, out);
}
