#include "extracted/service_kit/problem.h"

#include <string.h>

#include "extracted/service_kit/session.h"

enum { DETAIL_LIMIT = 512 };

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
    struct outcome outcome = {
        .kind = OUTCOME_NOT_OWNER, .aggregate = aggregate, .ownership = *ownership};
    problem_reply_outcome(reply, &outcome);
}

void problem_reply_outcome(struct http_reply *reply, const struct outcome *supposed)
{
    const struct outcome known = session_outcome(reply, supposed);
    const struct outcome *outcome = &known;
    struct body_text detail;
    body_text_init(&detail, DETAIL_LIMIT);
    outcome_add_detail(&detail, outcome);
    body_text_add(&detail, "", 1);
    open_problem(reply, &(struct problem){.status = outcome_status(outcome),
                                          .title = outcome_title(outcome),
                                          .detail = detail.overflowed ? NULL : detail.bytes,
                                          .field = outcome->field});
    body_text_done(&detail);
    if (outcome->kind == OUTCOME_OUT_OF_REACH)
        http_reply_add_field(reply, "retry-after", "1");
    if (outcome->kind == OUTCOME_NOT_OWNER) {
        body_text_add_string(&reply->body, ",");
        ownership_add_members(&reply->body, outcome->aggregate, &outcome->ownership);
    }
    body_text_add_string(&reply->body, "}");
}
