#include "extracted/service_kit/row_bind.h"

static bool bind_integer(sqlite3_stmt *query, int index, const json_t *value)
{
    return json_is_integer(value) &&
           sqlite3_bind_int64(query, index, json_integer_value(value)) == SQLITE_OK;
}

static bool bind_member(sqlite3_stmt *query, int index, enum row_kind kind, const json_t *value)
{
    switch (kind) {
    case ROW_INTEGER:
        return bind_integer(query, index, value);
    case ROW_INTEGER_OR_NULL:
        return json_is_null(value) || bind_integer(query, index, value);
    case ROW_BOOLEAN:
        return json_is_boolean(value) &&
               sqlite3_bind_int(query, index, json_is_true(value)) == SQLITE_OK;
    case ROW_TEXT:
        return json_is_string(value) &&
               sqlite3_bind_text(query, index, json_string_value(value),
                                 (int)json_string_length(value), SQLITE_TRANSIENT) == SQLITE_OK;
    }
    return false;
}

bool row_bind(sqlite3_stmt *query, const struct row_shape *shape, const json_t *object)
{
    for (size_t i = 0; i < shape->count; i++) {
        const struct row_member *member = &shape->members[i];
        const json_t *value = json_object_get(object, member->name);
        if (!bind_member(query, (int)i + 1, member->kind, value))
            return false;
    }
    return true;
}
