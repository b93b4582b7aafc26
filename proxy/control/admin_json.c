#include "proxy/control/admin_json.h"

#include <microhttpd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "proxy/control/change.h"
#include "proxy/core/check.h"
#include "proxy/routing/bucket.h"

enum { DETAIL_BYTES = 600, TIME_BYTES = 40, NUMBER_DIGITS = 12 };

json_t *json_text(struct strview text)
{
    json_t *value = json_stringn(text.data != NULL ? text.data : "", text.length);
    return value != NULL ? value : json_null();
}

json_t *json_percent(uint32_t threshold)
{
    if (threshold % BUCKETS_PER_PERCENT == 0)
        return json_integer(threshold / BUCKETS_PER_PERCENT);
    return json_real((double)threshold / BUCKETS_PER_PERCENT);
}

json_t *json_time(uint64_t unix_ms)
{
    if (unix_ms == 0)
        return json_null();
    char text[TIME_BYTES];
    time_t seconds = (time_t)(unix_ms / 1000);
    struct tm parts;
    if (gmtime_r(&seconds, &parts) == NULL)
        return json_null();
    size_t length = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &parts);
    snprintf(text + length, sizeof(text) - length, ".%03uZ", (unsigned)(unix_ms % 1000));
    return json_string(text);
}

static char *dump(const json_t *body, size_t *ret_bytes)
{
    char *text = NULL;
    FILE *out = open_memstream(&text, ret_bytes);
    CHECK(out != NULL);
    json_dumpf(body, out, JSON_INDENT(2) | JSON_REAL_PRECISION(NUMBER_DIGITS));
    fputc('\n', out);
    fclose(out);
    return text;
}

static void reply_take(struct admin_request *request, struct admin_answer answer, json_t *body)
{
    answer.body = dump(body, &answer.body_bytes);
    json_decref(body);
    admin_reply_take(request, &answer);
}

void admin_reply_json_take(struct admin_request *request, int status, json_t *body)
{
    reply_take(request, (struct admin_answer){.status = status, .content_type = "application/json"},
               body);
}

static struct admin_answer problem_answer(int status)
{
    return (struct admin_answer){.status = status, .content_type = "application/problem+json"};
}

/* A detail may quote what a stranger sent, and may have been cut inside of a character. */
static json_t *json_detail(const char *detail)
{
    char ascii[DETAIL_BYTES];
    json_t *text = json_string(detail);
    if (text != NULL)
        return text;
    size_t length = 0;
    for (; detail[length] != '\0' && length + 1 < sizeof(ascii); length++)
        ascii[length] = (unsigned char)detail[length] < 0x80 ? detail[length] : '?';
    return json_stringn(ascii, length);
}

static json_t *problem(int status, const char *detail)
{
    const char *title = MHD_get_reason_phrase_for((unsigned)status);
    return json_pack("{s:s, s:s, s:i, s:o}", "type", "about:blank", "title", title, "status",
                     status, "detail", json_detail(detail));
}

void admin_reply_problem(struct admin_request *request, int status, const char *format, ...)
{
    char detail[DETAIL_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(detail, sizeof(detail), format, arguments);
    va_end(arguments);
    reply_take(request, problem_answer(status), problem(status, detail));
}

void admin_reply_suggestion(struct admin_request *request, int status, struct strview suggestion,
                            const char *format, ...)
{
    char detail[DETAIL_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(detail, sizeof(detail), format, arguments);
    va_end(arguments);
    json_t *body = problem(status, detail);
    if (suggestion.length > 0)
        json_object_set_new(body, "suggestion", json_text(suggestion));
    reply_take(request, problem_answer(status), body);
}

void admin_reply_outcome(struct admin_request *request, const struct change_result *result,
                         struct strview suggestion)
{
    json_t *body = problem(result->status, result->detail);
    if (result->title[0] != '\0')
        json_object_set_new(body, "title", json_text(strview_of(result->title)));
    json_object_set_new(body, "changed", json_boolean(result->changed));
    json_object_set_new(body, "durable", json_boolean(result->durable));
    json_object_set_new(body, "generation", json_integer((json_int_t)result->generation));
    if (suggestion.length > 0)
        json_object_set_new(body, "suggestion", json_text(suggestion));
    reply_take(request, problem_answer(result->status), body);
}

void admin_reply_not_allowed(struct admin_request *request, const char *allow)
{
    char detail[DETAIL_BYTES];
    snprintf(detail, sizeof(detail), "this path takes %s", allow);
    struct admin_answer answer = problem_answer(MHD_HTTP_METHOD_NOT_ALLOWED);
    answer.allow = allow;
    reply_take(request, answer, problem(answer.status, detail));
}
