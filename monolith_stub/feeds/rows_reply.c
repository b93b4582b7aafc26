#include "monolith_stub/feeds/rows_reply.h"

#include <openssl/evp.h>
#include <string.h>

#include "monolith_stub/api2/problem.h"
#include "monolith_stub/feeds/feed.h"
#include "monolith_stub/input/form.h"
#include "monolith_stub/input/paging.h"
#include "monolith_stub/json_write.h"
#include "monolith_stub/people/token.h"

enum { ID_BYTES = 80, HASH_BYTES = 32 };

struct rows_query {
    enum feed feed;
    char after[ID_BYTES + 1]; /* empty: no bound */
    char upto[ID_BYTES + 1];
    int64_t limit;
};

struct rows_found {
    int64_t count;
    bool has_more;
    char last[ID_BYTES + 1];
};

static bool read_id(const struct form *form, const char *name, char (*ret_id)[ID_BYTES + 1])
{
    struct text_view value;
    if (!form_find(form, name, &value))
        return true;
    if (value.length == 0 || value.length > ID_BYTES)
        return false;
    memcpy(*ret_id, value.bytes, value.length);
    return strspn(*ret_id, "0123456789abcdef:-") == value.length;
}

/* The name of what is wrong, or NULL. */
static const char *read_fields(const struct form *form, struct rows_query *query)
{
    struct text_view value;
    if (!read_id(form, "after", &query->after))
        return "after";
    if (!read_id(form, "upto", &query->upto))
        return "upto";
    if (form_find(form, "limit", &value) &&
        (!id_read(value, &query->limit) || query->limit > ROWS_LIMIT))
        return "limit";
    return NULL;
}

/* False: the reply says why. */
static bool read_query(const struct request *request, struct rows_query *query, struct reply *reply)
{
    struct text_view name = request->parameters[0];
    struct form form;
    if (!feed_find(name.bytes, name.length, &query->feed)) {
        problem_answer_status(reply, 404);
        return false;
    }
    if (!form_read(request->query, &form)) {
        problem_answer_status(reply, 400);
        return false;
    }
    const char *wrong = read_fields(&form, query);
    form_done(&form);
    if (wrong == NULL)
        return true;
    struct outcome fault = outcome_field_fault(wrong, "It is none that is allowed here.");
    problem_answer_outcome(reply, &fault);
    return false;
}

static void bind_id(sqlite3_stmt *rows, int index, const char *id)
{
    if (id[0] != 0)
        store_bind_text(rows, index, id, strlen(id));
}

static void write_row(sqlite3_stmt *row, struct text *out, struct rows_found *found)
{
    size_t length = 0;
    const char *json = store_text(row, 0, &length);
    text_append(out, json, length);
    text_append_string(out, "\n");
    const char *id = store_text(row, 1, &length);
    if (length > ID_BYTES)
        length = ID_BYTES;
    memcpy(found->last, id, length);
    found->last[length] = 0;
    found->count++;
}

/* One row more than wanted is asked for, and only tells that there is one. */
static bool write_rows(struct store *store, const struct rows_query *query, struct text *out,
                       struct rows_found *found)
{
    sqlite3_stmt *row = store_begin(store, (enum query)(QUERY_ROWS + (int)query->feed));
    bind_id(row, 1, query->after);
    bind_id(row, 2, query->upto);
    sqlite3_bind_int64(row, 3, query->limit + 1);
    while (!found->has_more && store_next(row)) {
        found->has_more = found->count == query->limit || out->length >= ROWS_BODY_BYTES;
        if (!found->has_more)
            write_row(row, out, found);
    }
    return store_end(row) && !out->failed;
}

/* False: the reply is made already. */
static bool read_rows(struct forum *forum, const struct request *request, struct reply *reply,
                      struct rows_query *query, struct rows_found *found)
{
    if (!read_query(request, query, reply))
        return false;
    struct store *store = store_pool_take(forum->pool);
    bool complete = write_rows(store, query, &reply->body, found);
    store_pool_give_back(forum->pool, store);
    if (!complete)
        reply_fault(reply);
    return complete;
}

void rows_answer(struct forum *forum, const struct request *request, struct reply *reply)
{
    struct rows_query query = {.limit = ROWS_LIMIT};
    struct rows_found found = {0};
    if (!read_rows(forum, request, reply, &query, &found))
        return;
    reply->status = 200;
    reply->content_type = "application/x-ndjson";
}

static void write_digest(struct text *out, const struct rows_query *query,
                         const struct rows_found *found, const unsigned char hash[HASH_BYTES])
{
    char digest[2 * HASH_BYTES + 1];
    token_write_hex(hash, HASH_BYTES, digest);
    text_clear(out);
    json_write_string(out, "{\"feed\":", feed_name(query->feed));
    json_write_integer(out, ",\"count\":", found->count);
    if (found->count > 0)
        json_write_string(out, ",\"last\":", found->last);
    else
        text_append_string(out, ",\"last\":null");
    text_append_string(out, found->has_more ? ",\"more\":true" : ",\"more\":false");
    json_write_string(out, ",\"digest\":", digest);
    text_append_string(out, "}");
}

void rows_answer_digest(struct forum *forum, const struct request *request, struct reply *reply)
{
    struct rows_query query = {.limit = ROWS_LIMIT};
    struct rows_found found = {0};
    unsigned char hash[HASH_BYTES];
    struct text *body = &reply->body;
    if (!read_rows(forum, request, reply, &query, &found))
        return;
    if (EVP_Digest(body->length > 0 ? body->bytes : "", body->length, hash, NULL, EVP_sha256(),
                   NULL) != 1) {
        reply_fault(reply);
        return;
    }
    write_digest(body, &query, &found, hash);
    reply_json(reply);
}
