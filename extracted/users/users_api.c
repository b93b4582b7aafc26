#include "extracted/users/users_api.h"

#include "extracted/service_kit/json_reply.h"
#include "extracted/service_kit/json_request.h"
#include "extracted/service_kit/outbox.h"
#include "extracted/service_kit/owned_write.h"
#include "extracted/service_kit/problem.h"
#include "extracted/service_kit/session.h"
#include "extracted/users/users_queries.h"

static const struct json_field name_field = {"name", 0, 80,
                                             "A name is at most 80 characters long."};
static const struct json_field bio_field = {"bio", 0, 500, "A bio is at most 500 characters long."};

static void refuse(struct http_reply *reply, unsigned status, const char *title, const char *detail)
{
    problem_reply(reply, &(struct problem){.status = status, .title = title, .detail = detail});
}

static void add_user(struct body_text *body, sqlite3_stmt *row)
{
    json_reply_integer(body, "{\"id\":", row, 0);
    json_reply_text(body, ",\"username\":", row, 1);
    json_reply_text(body, ",\"name\":", row, 2);
    json_reply_text(body, ",\"bio\":", row, 3);
    json_reply_time(body, ",\"created_at\":", row, 4);
    body_text_add_string(body, "}");
}

static sqlite3_stmt *begin_user(struct database *database, int64_t id)
{
    sqlite3_stmt *row = database_begin(database, QUERY_PROFILE);
    sqlite3_bind_int64(row, 1, id);
    return row;
}

static void reply_user(struct database *database, int64_t id, struct http_reply *reply)
{
    sqlite3_stmt *row = begin_user(database, id);
    bool found = database_next(row);
    if (found)
        add_user(&reply->body, row);
    if (!database_end(database, row))
        http_reply_fault(reply);
    else if (found)
        http_reply_json(reply);
    else
        refuse(reply, 404, "Not Found", NULL);
}

void users_api_one(struct database *database, const struct http_request *request,
                   struct http_reply *reply)
{
    int64_t id;
    if (json_request_id(request, reply, &id))
        reply_user(database, id, reply);
}

void users_api_batch(struct database *database, const struct http_request *request,
                     struct http_reply *reply)
{
    struct json_ids ids;
    struct json_list list;
    bool is_good = true;
    if (!json_request_ids(request, reply, &ids))
        return;
    json_list_begin(&list, reply);
    for (size_t i = 0; is_good && i < ids.count; i++) {
        sqlite3_stmt *row = begin_user(database, ids.each[i]);
        if (database_next(row)) {
            json_list_next(&list);
            add_user(list.body, row);
        }
        is_good = database_end(database, row);
    }
    json_list_end(&list, reply, 1, list.count);
    if (!is_good)
        http_reply_fault(reply);
}

void users_api_me(struct database *database, const struct http_request *request,
                  struct http_reply *reply)
{
    int64_t user;
    if (!session_find_user(database, request, reply, &user))
        return;
    if (user == 0)
        refuse(reply, 401, "Unauthorized", "Log in first.");
    else
        reply_user(database, user, reply);
}

struct profile {
    int64_t id;
    int64_t user; /* who asks */
    struct http_view name;
    struct http_view bio;
    int64_t now_ms;
};

/* Row and event. False: logged. */
static bool store(struct database *database, const struct profile *profile)
{
    size_t length;
    sqlite3_stmt *edit = database_begin(database, QUERY_USER_EDIT);
    sqlite3_bind_int64(edit, 1, profile->id);
    sqlite3_bind_text(edit, 2, profile->name.bytes, (int)profile->name.length, SQLITE_STATIC);
    sqlite3_bind_text(edit, 3, profile->bio.bytes, (int)profile->bio.length, SQLITE_STATIC);
    sqlite3_step(edit);
    if (!database_end(database, edit))
        return false;
    sqlite3_stmt *row = database_begin(database, QUERY_USER_EVENT);
    sqlite3_bind_int64(row, 1, profile->id);
    bool stored = database_next(row) &&
                  outbox_put(database, &users_feeds[FEED_USERS], database_text(row, 0, &length),
                             database_text(row, 1, &length), profile->now_ms);
    return database_end(database, row) && stored;
}

static void edit(struct database *database, const struct http_request *request,
                 const struct profile *profile, struct http_reply *reply)
{
    if (profile->user == 0)
        refuse(reply, 401, "Unauthorized", "Log in first.");
    else if (profile->user != profile->id)
        refuse(reply, 403, "Forbidden", "Only they themselves may do that.");
    else if (owned_write_begin(database, request, reply) &&
             owned_write_end(database, reply, store(database, profile)))
        reply_user(database, profile->id, reply);
}

void users_api_edit(struct database *database, const struct http_request *request,
                    struct http_reply *reply)
{
    struct profile profile = {.now_ms = (int64_t)(request->now * 1000.)};
    if (!session_find_user(database, request, reply, &profile.user))
        return;
    json_t *object = json_request_read(request, reply);
    if (object != NULL && json_request_id(request, reply, &profile.id) &&
        json_request_text(object, &name_field, reply, &profile.name) &&
        json_request_text(object, &bio_field, reply, &profile.bio))
        edit(database, request, &profile, reply);
    json_decref(object);
}
