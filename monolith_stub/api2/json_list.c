#include "monolith_stub/api2/json_list.h"

#include <stdlib.h>
#include <string.h>

#include "monolith_stub/json_write.h"

void json_list_begin(struct json_list *list, struct reply *reply, const struct knobs *knobs)
{
    *list = (struct json_list){.out = &reply->body, .bug = knobs->bug};
    text_append_string(list->out, "{\"items\":[");
}

void json_list_next(struct json_list *list)
{
    text_append(list->out, ",", list->count > 0 ? 1 : 0);
    list->starts[list->count++] = list->out->length;
}

/* --bug reordered: the items the other way round. */
static void reverse_items(struct json_list *list)
{
    struct text *out = list->out;
    if (list->count < 2 || out->failed)
        return;
    size_t length = out->length - list->starts[0];
    char *items = malloc(length);
    if (items == NULL)
        return;
    memcpy(items, out->bytes + list->starts[0], length);
    size_t end = length;
    out->length = list->starts[0];
    for (unsigned i = list->count; i > 0; i--) {
        size_t start = list->starts[i - 1] - list->starts[0];
        text_append(out, items + start, end - start);
        text_append(out, ",", i > 1 ? 1 : 0);
        end = start > 0 ? start - 1 : 0; /* without the comma */
    }
    free(items);
}

void json_list_end(struct json_list *list, struct reply *reply, const struct paging *paging)
{
    if (list->bug == BUG_REORDERED)
        reverse_items(list);
    json_write_integer(list->out, "],\"page\":", paging->page);
    json_write_integer(list->out, ",\"pages\":", paging->pages);
    json_write_integer(list->out,
                       ",\"total\":", paging->total + (list->bug == BUG_OFF_BY_ONE ? 1 : 0));
    text_append_string(list->out, list->is_degraded ? ",\"degraded\":[\"users\"]}" : "}");
    reply_json(reply);
}

void json_list_end_whole(struct json_list *list, struct reply *reply)
{
    struct paging paging = {.page = 1, .pages = 1, .total = list->count};
    json_list_end(list, reply, &paging);
}
