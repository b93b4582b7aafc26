#include "extracted/service_kit/feed_rows.h"

#include <openssl/evp.h>
#include <string.h>

#include "extracted/service_kit/feed.h"
#include "extracted/service_kit/hex.h"
#include "extracted/service_kit/problem.h"
#include "extracted/service_kit/query_string.h"
#include "extracted/service_kit/service_state.h"

enum { ID_LENGTH = 80, DIGEST_BYTES = 32 };

/* What is asked for. A bound without bytes is none. */
struct range {
    const struct feed *feed;
    struct http_view after;
    struct http_view upto;
    int64_t limit;
};

struct found {
    int64_t count;
    bool has_more;
    size_t last_length;
    char last[ID_LENGTH]; /* the id of the last row */
};

static bool read_id(struct http_view query, const char *name, struct http_view *ret_id)
{
    *ret_id = (struct http_view){NULL, 0};
    if (!query_find(query, name, ret_id))
        return true;
    for (size_t i = 0; i < ret_id->length; i++) {
        char byte = ret_id->bytes[i];
        if (memchr("0123456789abcdef:-", byte, 18) == NULL)
            return false;
    }
    return ret_id->length > 0 && ret_id->length <= ID_LENGTH;
}

/* False: the reply says what is wrong. */
static bool read_range(const struct http_request *request, struct http_reply *reply,
                       struct range *range)
{
    const struct feed_plan *plan = request->state->feeds;
    struct http_view name = request->parameters[0];
    range->feed = feed_find(plan, name.bytes, name.length);
    if (range->feed == NULL || !feed_is_own(plan, range->feed)) {
        problem_reply(reply, &(struct problem){.status = 404, .title = "Not Found"});
        return false;
    }
    if (read_id(request->query, "after", &range->after) &&
        read_id(request->query, "upto", &range->upto) &&
        query_number(request->query, "limit", FEED_ROWS_LIMIT, &range->limit) &&
        range->limit >= 1 && range->limit <= FEED_ROWS_LIMIT)
        return true;
    problem_reply(reply, &(struct problem){.status = 400,
                                           .title = "Bad Request",
                                           .detail = "after, upto or limit is out of range."});
    return false;
}

static void bind_id(sqlite3_stmt *query, int index, struct http_view id)
{
    if (id.length > 0)
        sqlite3_bind_text(query, index, id.bytes, (int)id.length, SQLITE_STATIC);
}

static void note_last(struct found *found, sqlite3_stmt *row, int column)
{
    size_t length = 0;
    const char *id = database_text(row, column, &length);
    found->last_length = length <= ID_LENGTH ? length : ID_LENGTH;
    memcpy(found->last, id, found->last_length);
}

/* One row more than wanted is asked for, and only tells that there is one. */
static bool add_rows(struct database *database, const struct range *range, struct body_text *body,
                     struct found *found)
{
    const struct row_shape *shape = range->feed->shape;
    sqlite3_stmt *row = database_begin(database, range->feed->rows_query);
    bind_id(row, 1, range->after);
    bind_id(row, 2, range->upto);
    sqlite3_bind_int64(row, 3, range->limit + 1);
    while (!found->has_more && database_next(row)) {
        found->has_more = found->count == range->limit || body->length >= FEED_ANSWER_ENOUGH;
        if (found->has_more)
            break;
        row_reply_add_object(body, shape, row);
        body_text_add_string(body, "\n");
        note_last(found, row, (int)shape->count);
        found->count++;
    }
    return database_end(database, row) && !body->overflowed;
}

void feed_rows_answer(struct database *database, const struct http_request *request,
                      struct http_reply *reply)
{
    struct range range;
    struct found found = {0};
    if (!read_range(request, reply, &range))
        return;
    if (!add_rows(database, &range, &reply->body, &found)) {
        http_reply_fault(reply);
        return;
    }
    reply->status = 200;
    reply->content_type = "application/x-ndjson";
}

static void reply_digest(const struct range *range, const struct found *found, const char *digest,
                         struct http_reply *reply)
{
    struct body_text *body = &reply->body;
    body_text_clear(body);
    body_text_add_string(body, "{\"feed\":");
    body_text_add_json_string(body, range->feed->name, strlen(range->feed->name));
    body_text_add_string(body, ",\"count\":");
    body_text_add_json_integer(body, found->count);
    body_text_add_string(body, ",\"last\":");
    if (found->count > 0)
        body_text_add_json_string(body, found->last, found->last_length);
    else
        body_text_add_string(body, "null");
    body_text_add_string(body, found->has_more ? ",\"more\":true" : ",\"more\":false");
    body_text_add_string(body, ",\"digest\":\"");
    body_text_add_string(body, digest);
    body_text_add_string(body, "\"}");
    http_reply_json(reply);
}

void feed_rows_answer_digest(struct database *database, const struct http_request *request,
                             struct http_reply *reply)
{
    struct range range;
    struct found found = {0};
    unsigned char hash[DIGEST_BYTES];
    char digest[2 * DIGEST_BYTES + 1];
    const struct body_text *body = &reply->body;
    if (!read_range(request, reply, &range))
        return;
    if (!add_rows(database, &range, &reply->body, &found) ||
        EVP_Digest(body->length > 0 ? body->bytes : "", body->length, hash, NULL, EVP_sha256(),
                   NULL) != 1) {
        http_reply_fault(reply);
        return;
    }
    hex_write(hash, sizeof(hash), digest);
    reply_digest(&range, &found, digest, reply);
}
