#include "extracted/service_kit/http_message.h"

#include <string.h>
#include <strings.h>

#include "extracted/service_kit/http_task.h"

bool http_view_equals(struct http_view view, const char *string)
{
    return view.length == strlen(string) && memcmp(view.bytes, string, view.length) == 0;
}

bool http_media_type_is(struct http_view content_type, const char *media_type)
{
    size_t at = strlen(media_type);
    if (content_type.length < at || strncasecmp(content_type.bytes, media_type, at) != 0)
        return false;
    while (at < content_type.length &&
           (content_type.bytes[at] == ' ' || content_type.bytes[at] == '\t'))
        at++;
    return at == content_type.length || content_type.bytes[at] == ';';
}

void http_reply_init(struct http_reply *reply)
{
    *reply = (struct http_reply){.status = 500};
    body_text_init(&reply->body, HTTP_REPLY_LIMIT);
}

void http_reply_done(struct http_reply *reply)
{
    http_task_free_all(reply);
    body_text_done(&reply->body);
}

void http_reply_text(struct http_reply *reply, unsigned status, const char *text)
{
    reply->status = status;
    reply->content_type = "text/plain; charset=utf-8";
    body_text_clear(&reply->body);
    body_text_add_string(&reply->body, text);
}

void http_reply_json(struct http_reply *reply)
{
    reply->status = 200;
    reply->content_type = "application/json; charset=utf-8";
}

void http_reply_nothing(struct http_reply *reply)
{
    reply->status = 204;
    reply->content_type = NULL;
    body_text_clear(&reply->body);
}

void http_reply_fault(struct http_reply *reply)
{
    reply->allow_count = 0;
    reply->field_count = 0;
    http_reply_text(reply, 500, "Internal Server Error");
}

void http_reply_see_other(struct http_reply *reply, const char *location)
{
    reply->status = 303;
    reply->content_type = NULL;
    body_text_clear(&reply->body);
    http_reply_add_field(reply, "location", location);
}

void http_reply_wait(struct http_reply *reply, double until)
{
    reply->wait = HTTP_WAIT_EVENT;
    reply->wait_until = until;
}

void http_reply_add_field(struct http_reply *reply, const char *constant_name, const char *value)
{
    size_t length = strlen(value);
    if (reply->field_count == HTTP_FIELDS || length >= HTTP_FIELD_VALUE) {
        reply->body.overflowed = true; /* what is incomplete is not sent */
        return;
    }
    struct http_field *field = &reply->fields[reply->field_count++];
    field->name = constant_name;
    memcpy(field->value, value, length + 1);
}
