#include "monolith_stub/api2/problem.h"

#include <string.h>

#include "monolith_stub/json_write.h"

static void open_problem(struct reply *reply, unsigned status, const char *title,
                         const char *detail, const char *field)
{
    struct text *body = &reply->body;
    text_clear(body);
    reply->status = status;
    reply->content_type = "application/problem+json";
    json_write_string(body, "{\"type\":\"about:blank\",\"title\":", title);
    text_append_string(body, ",\"status\":");
    text_append_integer(body, status);
    if (detail != NULL)
        json_write_string(body, ",\"detail\":", detail);
    if (field != NULL)
        json_write_string(body, ",\"field\":", field);
}

void problem_answer(struct reply *reply, unsigned status, const char *title, const char *detail,
                    const char *field)
{
    open_problem(reply, status, title, detail, field);
    text_append_string(&reply->body, "}");
}

void problem_answer_status(struct reply *reply, unsigned status)
{
    static const struct {
        unsigned status;
        const char *title;
    } known[] = {
        {400, "Bad Request"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {413, "Content Too Large"},
        {415, "Unsupported Media Type"},
        {501, "Not Implemented"},
        {503, "Service Unavailable"},
    };
    const char *title = "Internal Server Error";
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (known[i].status == status)
            title = known[i].title;
    }
    problem_answer(reply, status, title, NULL, NULL);
}

void problem_answer_outcome(struct reply *reply, const struct outcome *outcome)
{
    unsigned status = outcome_status(outcome->kind);
    const char *title = outcome_title(outcome->kind);
    if (outcome->kind == OUTCOME_OUT_OF_REACH)
        reply_field(reply, "Retry-After", "1");
    if (outcome->kind != OUTCOME_NOT_OWNER) {
        problem_answer(reply, status, title, outcome_detail(outcome), outcome->field);
        return;
    }
    const struct ownership *ownership = &outcome->ownership;
    struct text detail;
    text_init(&detail, 256);
    ownership_describe(&detail, ownership);
    text_append(&detail, "", 1);
    open_problem(reply, status, title, detail.failed ? NULL : detail.bytes, NULL);
    text_done(&detail);
    text_append_string(&reply->body, ",");
    ownership_write_members(&reply->body, ownership);
    text_append_string(&reply->body, "}");
}
