#include "monolith_stub/site.h"

#include "monolith_stub/export.h"
#include "monolith_stub/face1.h"
#include "monolith_stub/forum_page.h"
#include "monolith_stub/route.h"

static void answer_health(struct store_pool *pool, const struct request *request,
                          struct reply *reply)
{
    (void)pool;
    (void)request;
    reply_text(reply, 200, "ok");
}

static const struct route routes[] = {
    {"GET", "/", face1_welcome},
    {"GET", "/api", face1_api_welcome},
    {"GET", "/api/users", face1_users},
    {"GET", "/api/users/{}", face1_user},
    {"GET", "/api/threads", face1_threads},
    {"GET", "/api/threads/{}", face1_thread},
    {"GET", "/api/posts", face1_posts},
    {"GET", "/api/posts/in-thread/{}", face1_posts_in_thread},
    {"GET", "/api/posts/by-user/{}", face1_posts_by_user},
    {"GET", "/forum", forum_page},
    {"GET", "/health", answer_health},
    {"GET", "/internal/export/users", export_users},
    {"GET", "/internal/export/threads", export_threads},
    {"GET", "/internal/export/posts", export_posts},
};

void site_answer(struct store_pool *pool, struct request *request, struct reply *reply)
{
    route_table_answer(routes, sizeof(routes) / sizeof(routes[0]), pool, request, reply);
    if (reply->body.failed)
        reply_fault(reply);
}
