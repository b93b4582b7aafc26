#include <inttypes.h>
#include <stdio.h>

#include "extracted/posts/posts_api.h"
#include "extracted/posts/posts_write.h"
#include "extracted/posts/thread_find.h"
#include "extracted/service_kit/problem.h"
#include "extracted/service_kit/session.h"

static bool refuse(struct http_reply *reply, const struct outcome *outcome)
{
    if (outcome->kind != OUTCOME_DONE)
        problem_reply_outcome(reply, outcome);
    return outcome->kind != OUTCOME_DONE;
}

static bool is_logged_in(const struct post_write *write, struct http_reply *reply)
{
    struct outcome outcome = outcome_of(write->user != 0 ? OUTCOME_DONE : OUTCOME_NOT_LOGGED_IN);
    return !refuse(reply, &outcome);
}

static bool read_text(const json_t *object, const struct http_request *request,
                      struct http_reply *reply, struct post_write *write)
{
    return is_logged_in(write, reply) && json_request_id(request, reply, &write->id) &&
           json_request_text(object, &posts_text_field, reply, &write->text);
}

static void reply_added(struct database *database, const struct post_write *write, int64_t post,
                        struct http_reply *reply)
{
    char location[64];
    posts_api_reply(database, reply, post, write->user);
    if (reply->status != 200)
        return;
    snprintf(location, sizeof(location), "/api/2.0/posts/%" PRId64, post);
    http_reply_add_field(reply, "location", location);
    reply->status = 201;
}

static void add(struct database *database, const struct http_request *request,
                struct http_reply *reply, const struct post_write *write)
{
    struct outcome outcome;
    if (!thread_find(database, request, reply, write->id, &outcome) || refuse(reply, &outcome))
        return;
    outcome = posts_add(database, request, write);
    if (!refuse(reply, &outcome))
        reply_added(database, write, outcome.id, reply);
}

void posts_api_add(struct database *database, const struct http_request *request,
                   struct http_reply *reply)
{
    struct post_write write = {0};
    if (!session_find_user(database, request, reply, &write.user))
        return;
    json_t *object = json_request_read(request, reply);
    if (object != NULL && read_text(object, request, reply, &write))
        add(database, request, reply, &write);
    json_decref(object);
}

void posts_api_edit(struct database *database, const struct http_request *request,
                    struct http_reply *reply)
{
    struct post_write write = {0};
    if (!session_find_user(database, request, reply, &write.user))
        return;
    json_t *object = json_request_read(request, reply);
    if (object != NULL && read_text(object, request, reply, &write)) {
        struct outcome outcome = posts_edit(database, request, &write);
        if (!refuse(reply, &outcome))
            posts_api_reply(database, reply, write.id, write.user);
    }
    json_decref(object);
}

/* Without a body; the reply is 204. */
static void write_plain(struct database *database, const struct http_request *request,
                        struct http_reply *reply, posts_write *run)
{
    struct post_write write = {0};
    if (!session_find_user(database, request, reply, &write.user) ||
        !json_request_is_allowed(request, reply) || !is_logged_in(&write, reply) ||
        !json_request_id(request, reply, &write.id))
        return;
    struct outcome outcome = run(database, request, &write);
    if (!refuse(reply, &outcome))
        http_reply_nothing(reply);
}

void posts_api_delete(struct database *database, const struct http_request *request,
                      struct http_reply *reply)
{
    write_plain(database, request, reply, posts_delete);
}

void posts_api_like(struct database *database, const struct http_request *request,
                    struct http_reply *reply)
{
    write_plain(database, request, reply, posts_like);
}

void posts_api_unlike(struct database *database, const struct http_request *request,
                      struct http_reply *reply)
{
    write_plain(database, request, reply, posts_unlike);
}
