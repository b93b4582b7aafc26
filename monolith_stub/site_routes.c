#include "monolith_stub/site_routes.h"

#include "monolith_stub/api2/json_people.h"
#include "monolith_stub/api2/json_posts.h"
#include "monolith_stub/api2/json_threads.h"
#include "monolith_stub/export.h"
#include "monolith_stub/face1.h"
#include "monolith_stub/feeds/feed_reply.h"
#include "monolith_stub/feeds/owner_reply.h"
#include "monolith_stub/feeds/rows_reply.h"
#include "monolith_stub/metrics.h"
#include "monolith_stub/pages/page_people.h"
#include "monolith_stub/pages/page_talk.h"
#include "monolith_stub/people/session_check.h"

static void answer_health(struct forum *forum, const struct request *request, struct reply *reply)
{
    (void)forum;
    (void)request;
    reply_text(reply, 200, "ok");
}

/* Face 1.0 and exports: nobody asks who asks. */
#define PLAIN(path, function)                                                                      \
    {                                                                                              \
        "GET", path, function, WORK_AT_ONCE, false, false, false                                   \
    }
/* Between the applications, and for whoever watches. */
#define CONTROL(method, path, function, work)                                                      \
    {                                                                                              \
        method, path, function, work, false, true, false                                           \
    }
/* Face 2.0. */
#define READ(path, function)                                                                       \
    {                                                                                              \
        "GET", path, function, WORK_AT_ONCE, true, false, false                                    \
    }
#define WRITE(method, path, function)                                                              \
    {                                                                                              \
        method, path, function, WORK_WRITES, true, false, false                                    \
    }
#define PASSWORD(path, function)                                                                   \
    {                                                                                              \
        "POST", path, function, WORK_PASSWORD, true, false, false                                  \
    }
/* What belongs to a thread: who opened it on the other side is not told that it is not there. */
#define OF_THREAD(method, path, function, work)                                                    \
    {                                                                                              \
        method, path, function, work, true, false, true                                            \
    }

const struct route site_routes[] = {
    PLAIN("/", face1_welcome),
    PLAIN("/api", face1_api_welcome),
    PLAIN("/api/users", face1_users),
    PLAIN("/api/users/{}", face1_user),
    PLAIN("/api/threads", face1_threads),
    PLAIN("/api/threads/{}", face1_thread),
    PLAIN("/api/posts", face1_posts),
    PLAIN("/api/posts/in-thread/{}", face1_posts_in_thread),
    PLAIN("/api/posts/by-user/{}", face1_posts_by_user),

    PASSWORD("/api/2.0/users", json_register),
    READ("/api/2.0/users", json_users),
    READ("/api/2.0/users/{}", json_user),
    WRITE("PATCH", "/api/2.0/users/{}", json_user_edit),
    READ("/api/2.0/me", json_me),
    PASSWORD("/api/2.0/sessions", json_log_in),
    WRITE("DELETE", "/api/2.0/sessions/current", json_log_out),
    READ("/api/2.0/categories", json_categories),
    READ("/api/2.0/categories/{}/threads", json_category_threads),
    READ("/api/2.0/threads", json_threads),
    WRITE("POST", "/api/2.0/threads", json_thread_add),
    READ("/api/2.0/threads/{}", json_thread),
    OF_THREAD("GET", "/api/2.0/threads/{}/posts", json_thread_posts, WORK_AT_ONCE),
    OF_THREAD("POST", "/api/2.0/threads/{}/posts", json_post_add, WORK_WRITES),
    READ("/api/2.0/posts/{}", json_post),
    WRITE("PATCH", "/api/2.0/posts/{}", json_post_edit),
    WRITE("DELETE", "/api/2.0/posts/{}", json_post_delete),
    WRITE("PUT", "/api/2.0/posts/{}/like", json_like),
    WRITE("DELETE", "/api/2.0/posts/{}/like", json_unlike),
    READ("/api/2.0/search", json_search),

    PLAIN("/forum/style.css", page_style),
    READ("/forum", page_front),
    READ("/forum/c/{}", page_category),
    READ("/forum/c/{}/new", page_thread_new),
    WRITE("POST", "/forum/c/{}/new", page_thread_new_send),
    OF_THREAD("GET", "/forum/t/{}", page_thread, WORK_AT_ONCE),
    OF_THREAD("POST", "/forum/t/{}/reply", page_reply_send, WORK_WRITES),
    READ("/forum/p/{}/edit", page_post_edit),
    WRITE("POST", "/forum/p/{}/edit", page_post_edit_send),
    WRITE("POST", "/forum/p/{}/delete", page_post_delete_send),
    WRITE("POST", "/forum/p/{}/like", page_post_like_send),
    READ("/forum/search", page_search),
    READ("/forum/register", page_register),
    PASSWORD("/forum/register", page_register_send),
    READ("/forum/login", page_log_in),
    PASSWORD("/forum/login", page_log_in_send),
    WRITE("POST", "/forum/logout", page_log_out_send),
    READ("/forum/u/{}", page_profile),
    READ("/forum/u/{}/edit", page_profile_edit),
    WRITE("POST", "/forum/u/{}/edit", page_profile_edit_send),

    CONTROL("GET", "/health", answer_health, WORK_AT_ONCE),
    CONTROL("GET", "/metrics", metrics_answer, WORK_AT_ONCE),
    PLAIN("/internal/export/users", export_users),
    PLAIN("/internal/export/threads", export_threads),
    PLAIN("/internal/export/posts", export_posts),
    CONTROL("GET", "/internal/feed/{}", feed_answer, WORK_AT_ONCE),
    CONTROL("GET", "/internal/rows/{}", rows_answer, WORK_AT_ONCE),
    CONTROL("GET", "/internal/digest/{}", rows_answer_digest, WORK_AT_ONCE),
    CONTROL("GET", "/internal/owner/{}", owner_answer, WORK_AT_ONCE),
    CONTROL("POST", "/internal/owner/{}", owner_answer_change, WORK_WRITES),
    CONTROL("POST", "/internal/sessions/check", session_check_answer, WORK_AT_ONCE),
};

const size_t site_route_count = sizeof(site_routes) / sizeof(site_routes[0]);
