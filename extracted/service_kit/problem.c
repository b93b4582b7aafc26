#include "extracted/service_kit/problem.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void add_member(struct body_text *body, const char *name, const char *value)
{
    if (value == NULL)
        return;
    body_text_add_string(body, name);
    body_text_add_json_string(body, value, strlen(value));
}

static void open_problem(struct http_reply *reply, const struct problem *problem)
{
    struct body_text *body = &reply->body;
    reply->status = problem->status;
    reply->content_type = "application/problem+json";
    body_text_clear(body);
    add_member(body, "{\"type\":\"about:blank\",\"title\":", problem->title);
    body_text_add_string(body, ",\"status\":");
    body_text_add_json_integer(body, problem->status);
    add_member(body, ",\"detail\":", problem->detail);
    add_member(body, ",\"field\":", problem->field);
}

void problem_reply(struct http_reply *reply, const struct problem *problem)
{
    open_problem(reply, problem);
    body_text_add_string(&reply->body, "}");
}

void problem_reply_not_owner(struct http_reply *reply, const char *aggregate,
                             const struct ownership *ownership)
{
    char detail[160];
    snprintf(detail, sizeof(detail), "Writes to %s belong to the %s side since epoch %" PRId64 ".",
             aggregate, ownership_name(ownership), ownership->epoch);
    struct problem problem = {.status = 409, .title = "Not the write owner", .detail = detail};
    open_problem(reply, &problem);
    body_text_add_string(&reply->body, ",");
    ownership_add_members(&reply->body, aggregate, ownership);
    body_text_add_string(&reply->body, "}");
}
