#include "monolith_stub/api2/json_request.h"

#include "monolith_stub/api2/problem.h"
#include "monolith_stub/input/form.h"

bool json_read_id(const struct request *request, struct reply *reply, int64_t *ret_id)
{
    if (id_read(request->parameters[0], ret_id))
        return true;
    problem_answer_status(reply, 404);
    return false;
}

static bool refuse_field(struct reply *reply, const char *field, const char *detail)
{
    struct outcome fault = outcome_field_fault(field, detail);
    problem_answer_outcome(reply, &fault);
    return false;
}

static bool read_query(const struct request *request, struct reply *reply, struct form *ret_form)
{
    if (form_read(request->query, ret_form))
        return true;
    problem_answer_status(reply, 400);
    return false;
}

bool json_read_ids(const struct request *request, struct reply *reply, struct id_list *ret_ids)
{
    struct form form;
    struct text_view list;
    if (!read_query(request, reply, &form))
        return false;
    bool is_list = form_find(&form, "ids", &list) && id_list_read(list, ret_ids);
    form_done(&form);
    return is_list || refuse_field(reply, "ids", "It is 1 to 100 ids with commas between.");
}

bool json_read_page(const struct request *request, struct reply *reply, int64_t *ret_page)
{
    struct form form;
    struct text_view page;
    if (!read_query(request, reply, &form))
        return false;
    form_find(&form, "page", &page);
    bool is_page = page_read(page, ret_page);
    form_done(&form);
    return is_page || refuse_field(reply, "page", "It is a number from 1 on.");
}
