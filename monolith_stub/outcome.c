#include "monolith_stub/outcome.h"

#include <stddef.h>

static const struct {
    unsigned status;
    const char *title;
    const char *detail;
} words[] = {
    [OUTCOME_DONE] = {200, "Done", "It is done."},
    [OUTCOME_FIELD_FAULT] = {422, "Unprocessable Content", "A field cannot be taken as it is."},
    [OUTCOME_NOT_LOGGED_IN] = {401, "Unauthorized", "Log in first."},
    [OUTCOME_WRONG_PASSWORD] = {401, "Unauthorized", "The user name or the password is wrong."},
    [OUTCOME_NOT_YOURS] = {403, "Forbidden", "Only its author may do that."},
    [OUTCOME_FORGED] = {403, "Forbidden", "The request does not come from a page of this forum."},
    [OUTCOME_NOT_FOUND] = {404, "Not Found", "There is no such thing here."},
    [OUTCOME_NOT_OWNER] = {409, "Not the write owner", "Another application takes these writes."},
    [OUTCOME_BROKEN] = {500, "Internal Server Error", "Something of ours broke."},
    [OUTCOME_OUT_OF_REACH] = {503, "Service Unavailable",
                              "A part of the forum does not answer. Try again in a moment."},
};

unsigned outcome_status(enum outcome_kind kind)
{
    return words[kind].status;
}

const char *outcome_title(enum outcome_kind kind)
{
    return words[kind].title;
}

const char *outcome_detail(const struct outcome *outcome)
{
    return outcome->detail != NULL ? outcome->detail : words[outcome->kind].detail;
}

struct outcome outcome_of(enum outcome_kind kind)
{
    return (struct outcome){.kind = kind};
}

struct outcome outcome_field_fault(const char *field, const char *detail)
{
    return (struct outcome){.kind = OUTCOME_FIELD_FAULT, .field = field, .detail = detail};
}
