#include "monolith_stub/reply.h"

#include <string.h>

static const char plain_text[] = "text/plain; charset=utf-8";

void reply_init(struct reply *reply)
{
    *reply = (struct reply){.status = 200};
    text_init(&reply->body, REPLY_BODY_LIMIT);
    text_init(&reply->fields, REPLY_FIELD_LIMIT * REPLY_FIELD_BYTES);
}

void reply_done(struct reply *reply)
{
    text_done(&reply->body);
    text_done(&reply->fields);
    if (reply->stream.free != NULL)
        reply->stream.free(reply->stream.context);
    reply->stream = (struct reply_stream){0};
}

void reply_text(struct reply *reply, unsigned status, const char *text)
{
    reply->status = status;
    reply->content_type = plain_text;
    text_clear(&reply->body);
    text_append_string(&reply->body, text);
}

void reply_json(struct reply *reply)
{
    reply->status = 200;
    reply->content_type = "application/json; charset=utf-8";
}

void reply_nothing(struct reply *reply)
{
    reply->status = 204;
    reply->content_type = NULL;
    text_clear(&reply->body);
}

void reply_see_other(struct reply *reply, const char *location)
{
    reply->status = 303;
    reply->content_type = NULL;
    text_clear(&reply->body);
    reply_field(reply, "Location", location);
}

void reply_field(struct reply *reply, const char *name, const char *value)
{
    text_append(&reply->fields, name, strlen(name) + 1);
    text_append(&reply->fields, value, strlen(value) + 1);
}

void reply_fault(struct reply *reply)
{
    reply->allow_count = 0;
    reply->wait = (struct reply_wait){0};
    text_clear(&reply->fields);
    reply_text(reply, 500, "Internal Server Error");
}
