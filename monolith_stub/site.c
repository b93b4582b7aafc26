#include "monolith_stub/site.h"

#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "monolith_stub/api2/problem.h"
#include "monolith_stub/pages/page.h"
#include "monolith_stub/site_routes.h"
#include "monolith_stub/talk/thread_news.h"

/* Which of the forum's faces a path belongs to: they word their faults differently. */
enum face { FACE_PLAIN, FACE_JSON, FACE_PAGES };

static bool starts_with(struct text_view path, const char *prefix)
{
    size_t length = strlen(prefix);
    return path.length >= length && strncasecmp(path.bytes, prefix, length) == 0;
}

static enum face face_of(const struct request *request)
{
    if (starts_with(request->path, "/api/2.0/") || starts_with(request->path, "/internal/"))
        return FACE_JSON;
    return starts_with(request->path, "/forum/") ? FACE_PAGES : FACE_PLAIN;
}

bool site_find_route(struct request *request)
{
    request->route = route_find(site_routes, site_route_count, request);
    return request->route != NULL && strcmp(request->route->method, "GET") != 0;
}

bool site_wants_details(const struct request *request)
{
    return request->route != NULL && (request->route->wants_visitor || request->route->is_control);
}

static uint32_t random_number(void)
{
    uint32_t number = 0;
    (void)!getentropy(&number, sizeof(number));
    return number;
}

static bool knobs_touch(const struct request *request)
{
    return request->route == NULL || !request->route->is_control;
}

uint32_t site_latency_ms(const struct forum *forum, const struct request *request)
{
    uint32_t latency_ms = 0;
    if (forum->knobs.latency_high_ms > 0 && knobs_touch(request))
        latency_ms = knobs_latency_ms(&forum->knobs, random_number());
    if (forum->knobs.bug == BUG_SLOW_SEARCH && request->route != NULL &&
        strstr(request->route->pattern, "/search") != NULL)
        latency_ms += KNOBS_SLOW_SEARCH_MS;
    return latency_ms;
}

enum route_work site_work(struct forum *forum, struct request *request)
{
    const struct route *route = request->route;
    if (route == NULL)
        return WORK_AT_ONCE;
    request->misses_thread =
        route->is_about_thread && thread_may_be_news(forum, request->parameters[0]);
    bool reads_at_once = route->work == WORK_AT_ONCE;
    if (reads_at_once && route->wants_visitor)
        visitor_read(forum, request);
    bool has_to_ask = request->misses_thread || request->visitor.state == VISITOR_ASK_OTHER;
    return reads_at_once && has_to_ask ? WORK_WRITES : route->work;
}

/* Plain text of the router becomes what the path's face speaks. */
static void translate_fault(const struct request *request, struct reply *reply)
{
    if (reply->status < 400)
        return;
    switch (face_of(request)) {
    case FACE_PLAIN:
        break;
    case FACE_JSON:
        problem_answer_status(reply, reply->status);
        break;
    case FACE_PAGES:
        page_answer_status(request, reply, reply->status);
        break;
    }
}

static void answer_out_of_reach(const struct request *request, struct reply *reply)
{
    struct outcome outcome = outcome_of(OUTCOME_OUT_OF_REACH);
    if (face_of(request) == FACE_PAGES)
        page_answer_outcome(request, reply, &outcome);
    else
        problem_answer_outcome(reply, &outcome);
}

void site_answer(struct forum *forum, struct request *request, struct reply *reply)
{
    if (forum->knobs.fail_millionths > 0 && knobs_touch(request) &&
        knobs_fails(&forum->knobs, random_number())) {
        problem_answer(reply, 500, "Internal Server Error", "It fails on purpose: --fail.", NULL);
        return;
    }
    const struct route *route = request->route;
    if (route == NULL) {
        route_answer_without(site_routes, site_route_count, request, reply);
        translate_fault(request, reply);
        return;
    }
    if (route->wants_visitor && request->visitor.state == VISITOR_UNREAD)
        visitor_read(forum, request);
    if (request->visitor.state == VISITOR_ASK_OTHER)
        visitor_ask_other(forum, request);
    if (request->misses_thread && !thread_news_read(forum)) {
        answer_out_of_reach(request, reply);
        return;
    }
    route->answer(forum, request, reply);
    if (!reply->body.failed && !reply->fields.failed)
        return;
    reply_fault(reply);
    translate_fault(request, reply);
}

void site_answer_busy(const struct request *request, struct reply *reply)
{
    reply_text(reply, 503, "Service Unavailable");
    translate_fault(request, reply);
    reply_field(reply, "Retry-After", "1");
}
