#include "extracted/service_kit/visitor.h"

#include <stdio.h>

#include "extracted/service_kit/service_state.h"
#include "extracted/service_kit/session.h"

static void read_username(struct database *database, const struct http_request *request,
                          struct visitor *visitor)
{
    sqlite3_stmt *row = database_begin(database, request->state->username_query);
    sqlite3_bind_int64(row, 1, visitor->user);
    if (database_next(row)) {
        size_t length;
        snprintf(visitor->username, sizeof(visitor->username), "%s",
                 database_text(row, 0, &length));
    }
    database_end(database, row);
}

bool visitor_read(struct database *database, const struct http_request *request,
                  struct http_reply *reply, struct visitor *ret_visitor)
{
    struct visitor visitor = {0};
    struct http_view cookie;
    if (!session_find_user(database, request, reply, &visitor.user))
        return false;
    if (session_read_cookie(request->cookies, visitor.user != 0 ? "sid" : "vsid", &cookie))
        token_read(cookie, &visitor.token);
    if (visitor.user != 0)
        read_username(database, request, &visitor);
    *ret_visitor = visitor;
    return true;
}
