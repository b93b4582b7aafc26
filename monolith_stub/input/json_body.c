#include "monolith_stub/input/json_body.h"

#include <string.h>
#include <strings.h>

#include "monolith_stub/api2/problem.h"

bool origin_fits(const char *origin, const char *host)
{
    const char *authority = strstr(origin, "://");
    return authority != NULL && host != NULL && strcasecmp(authority + 3, host) == 0;
}

bool content_type_is(const char *content_type, const char *media_type)
{
    size_t length = strlen(media_type);
    if (content_type == NULL || strncasecmp(content_type, media_type, length) != 0)
        return false;
    char next = content_type[length + strspn(content_type + length, " \t")];
    return next == 0 || next == ';';
}

bool json_write_is_allowed(const struct request *request, struct reply *reply)
{
    if (request->origin == NULL || origin_fits(request->origin, request->host))
        return true;
    struct outcome forged = outcome_of(OUTCOME_FORGED);
    problem_answer_outcome(reply, &forged);
    return false;
}

json_t *json_body_read(const struct request *request, struct reply *reply)
{
    if (!json_write_is_allowed(request, reply))
        return NULL;
    if (!content_type_is(request->content_type, "application/json")) {
        problem_answer_status(reply, 415);
        return NULL;
    }
    if (request->body_is_too_large) {
        problem_answer_status(reply, 413);
        return NULL;
    }
    json_error_t error;
    json_t *object = json_loadb(request->body.bytes, request->body.length,
                                JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
    if (json_is_object(object))
        return object;
    json_decref(object);
    problem_answer(reply, 400, "Bad Request", "The body is not a JSON object in UTF-8.", NULL);
    return NULL;
}

bool json_body_string(const json_t *object, const char *name, struct reply *reply,
                      struct text_view *ret_value)
{
    const json_t *member = json_object_get(object, name);
    if (json_is_string(member)) {
        *ret_value = (struct text_view){json_string_value(member), json_string_length(member)};
        return true;
    }
    if (reply != NULL) {
        struct outcome fault = outcome_field_fault(name, "It has to be there, and a string.");
        problem_answer_outcome(reply, &fault);
    }
    return false;
}
