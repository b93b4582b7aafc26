#include "extracted/service_kit/json_reply.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

void json_reply_integer(struct body_text *body, const char *prefix, sqlite3_stmt *row, int column)
{
    body_text_add_string(body, prefix);
    body_text_add_json_integer(body, sqlite3_column_int64(row, column));
}

void json_reply_text(struct body_text *body, const char *prefix, sqlite3_stmt *row, int column)
{
    size_t length;
    const char *text = database_text(row, column, &length);
    body_text_add_string(body, prefix);
    body_text_add_json_string(body, text, length);
}

void json_reply_time(struct body_text *body, const char *prefix, sqlite3_stmt *row, int column)
{
    char text[40];
    struct tm parts;
    time_t seconds = (time_t)(sqlite3_column_int64(row, column) / 1000);
    body_text_add_string(body, prefix);
    if (sqlite3_column_type(row, column) == SQLITE_NULL || gmtime_r(&seconds, &parts) == NULL) {
        body_text_add_string(body, "null");
        return;
    }
    size_t length = strftime(text, sizeof(text), "\"%Y-%m-%dT%H:%M:%SZ\"", &parts);
    body_text_add(body, text, length);
}

void json_list_begin(struct json_list *list, struct http_reply *reply)
{
    *list = (struct json_list){.body = &reply->body, .bug = reply->bug};
    body_text_add_string(list->body, "{\"items\":[");
}

void json_list_next(struct json_list *list)
{
    body_text_add(list->body, ",", list->count > 0 ? 1 : 0);
    if (list->count < JSON_IDS)
        list->starts[list->count] = list->body->length;
    list->count++;
}

/* BUG_REORDERED: the items from the last to the first. */
static void reverse_items(struct json_list *list)
{
    struct body_text *body = list->body;
    if (list->count < 2 || list->count > JSON_IDS || body->overflowed)
        return;
    size_t first = list->starts[0];
    size_t end = body->length;
    char *items = malloc(end - first);
    if (items == NULL)
        return;
    memcpy(items, body->bytes + first, end - first);
    body->length = first;
    for (unsigned i = list->count; i > 0; i--) {
        size_t start = list->starts[i - 1];
        body_text_add(body, items + (start - first), end - start);
        body_text_add(body, ",", i > 1 ? 1 : 0);
        end = start - 1; /* without the comma before it */
    }
    free(items);
}

void json_list_end(struct json_list *list, struct http_reply *reply, int64_t page, int64_t total)
{
    int64_t pages = total > 0 ? (total + JSON_PAGE_ROWS - 1) / JSON_PAGE_ROWS : 1;
    if (list->bug == BUG_REORDERED)
        reverse_items(list);
    body_text_add_string(list->body, "],\"page\":");
    body_text_add_json_integer(list->body, page);
    body_text_add_string(list->body, ",\"pages\":");
    body_text_add_json_integer(list->body, pages);
    body_text_add_string(list->body, ",\"total\":");
    body_text_add_json_integer(list->body, total + (list->bug == BUG_OFF_BY_ONE ? 1 : 0));
    body_text_add_string(list->body, list->is_degraded ? ",\"degraded\":[\"users\"]}" : "}");
    http_reply_json(reply);
}
