#include "extracted/service_kit/row_reply.h"

#include "extracted/service_kit/path_id.h"

static void add_value(struct body_text *body, enum row_kind kind, sqlite3_stmt *row, int column)
{
    switch (kind) {
    case ROW_INTEGER_OR_NULL:
        if (sqlite3_column_type(row, column) == SQLITE_NULL) {
            body_text_add_string(body, "null");
            break;
        }
        body_text_add_json_integer(body, sqlite3_column_int64(row, column));
        break;
    case ROW_BOOLEAN:
        body_text_add_string(body, sqlite3_column_int(row, column) != 0 ? "true" : "false");
        break;
    case ROW_INTEGER:
        body_text_add_json_integer(body, sqlite3_column_int64(row, column));
        break;
    case ROW_TEXT: {
        const char *text = (const char *)sqlite3_column_text(row, column);
        int length = sqlite3_column_bytes(row, column);
        body_text_add_json_string(body, text == NULL ? "" : text, (size_t)length);
        break;
    }
    }
}

void row_reply_add_object(struct body_text *body, const struct row_shape *shape, sqlite3_stmt *row)
{
    for (size_t i = 0; i < shape->count; i++) {
        body_text_add_string(body, i == 0 ? "{\"" : ",\"");
        body_text_add_string(body, shape->members[i].name);
        body_text_add_string(body, "\":");
        add_value(body, shape->members[i].kind, row, (int)i);
    }
    body_text_add_string(body, "}");
}

/* An id that is none stays unbound: NULL, which equals no row. */
static void bind_id(sqlite3_stmt *query, const struct http_request *request)
{
    struct http_view segment = request->parameters[0];
    int64_t id;
    if (path_id_parse(segment.bytes, segment.length, &id))
        sqlite3_bind_int64(query, 1, id);
}

static void finish(struct database *database, sqlite3_stmt *query, struct http_reply *reply)
{
    if (database_end(database, query) && !reply->body.overflowed)
        http_reply_json(reply);
    else
        http_reply_fault(reply);
}

static void add_array(struct database *database, sqlite3_stmt *query, const struct row_shape *shape,
                      struct http_reply *reply)
{
    body_text_add_string(&reply->body, "[");
    for (bool first = true; database_next(query); first = false) {
        if (!first)
            body_text_add_string(&reply->body, ",");
        row_reply_add_object(&reply->body, shape, query);
    }
    body_text_add_string(&reply->body, "]");
    finish(database, query, reply);
}

void row_reply_all(struct database *database, size_t query, const struct row_shape *shape,
                   struct http_reply *reply)
{
    add_array(database, database_begin(database, query), shape, reply);
}

void row_reply_by_id(struct database *database, size_t query, const struct row_shape *shape,
                     const struct http_request *request, struct http_reply *reply)
{
    sqlite3_stmt *rows = database_begin(database, query);
    bind_id(rows, request);
    add_array(database, rows, shape, reply);
}

void row_reply_one(struct database *database, size_t query, const struct row_shape *shape,
                   const struct http_request *request, struct http_reply *reply)
{
    sqlite3_stmt *row = database_begin(database, query);
    bind_id(row, request);
    bool found = database_next(row);
    if (found)
        row_reply_add_object(&reply->body, shape, row);
    finish(database, row, reply);
    if (!found && reply->status == 200)
        http_reply_nothing(reply);
}
