#include "monolith_stub/reply.h"

static const char plain_text[] = "text/plain; charset=utf-8";

void reply_init(struct reply *reply)
{
    *reply = (struct reply){.status = 200};
    text_init(&reply->body, REPLY_BODY_LIMIT);
}

void reply_done(struct reply *reply)
{
    text_done(&reply->body);
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

void reply_fault(struct reply *reply)
{
    reply->allow_count = 0;
    reply_text(reply, 500, "Internal Server Error");
}
