#include "monolith_stub/feeds/ask.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>

#include "monolith_stub/clock.h"
#include "monolith_stub/feeds/event_apply.h"
#include "monolith_stub/feeds/follower.h"
#include "monolith_stub/feeds/remote.h"
#include "monolith_stub/people/session.h"
#include "monolith_stub/store_pool.h"

enum { URL_BYTES = 512, SESSION_LIMIT = 4096, EVENTS_LIMIT = 16 * 1024 * 1024 };

static enum ask_answer read_answer(long status, const struct text *body,
                                   struct session *ret_session)
{
    if (status == 404)
        return ASK_NO;
    json_t *object = status == 200 ? json_loadb(body->bytes, body->length, 0, NULL) : NULL;
    const json_t *user = json_object_get(object, "user");
    const json_t *expires = json_object_get(object, "expires_ms");
    bool is_complete = json_is_integer(user) && json_is_integer(expires);
    const char *username = json_string_value(json_object_get(object, "username"));
    if (is_complete) {
        ret_session->user = json_integer_value(user);
        ret_session->expires_ms = json_integer_value(expires);
        snprintf(ret_session->username, sizeof(ret_session->username), "%s",
                 username != NULL ? username : "");
    }
    bool is_good = is_complete && ret_session->expires_ms > clock_wall_ms();
    json_decref(object);
    if (!is_complete)
        return ASK_NOTHING;
    return is_good ? ASK_YES : ASK_NO;
}

enum ask_answer ask_session(struct forum *forum, const char *hash, long patience_ms,
                            struct session *ret_session)
{
    char url[URL_BYTES];
    char body[128];
    long status = 0;
    struct remote_answer answer;
    const char *origin = follower_origin(forum->follower, FEED_SESSIONS);
    if (origin == NULL)
        return ASK_NOTHING;
    text_init(&answer.body, SESSION_LIMIT);
    snprintf(url, sizeof(url), "%s/internal/sessions/check", origin);
    snprintf(body, sizeof(body), "{\"id\":\"%s\"}", hash);
    CURL *remote = remote_new(url, patience_ms, &answer);
    if (remote == NULL)
        return ASK_NOTHING;
    struct curl_slist *fields = remote_post_json(remote, body);
    if (curl_easy_perform(remote) == CURLE_OK)
        curl_easy_getinfo(remote, CURLINFO_RESPONSE_CODE, &status);
    enum ask_answer says = read_answer(status, &answer.body, ret_session);
    curl_slist_free_all(fields);
    curl_easy_cleanup(remote);
    text_done(&answer.body);
    return says;
}

static bool read_cursor(struct forum *forum, enum feed feed, int64_t *ret_cursor)
{
    struct store *store = store_pool_take(forum->pool);
    bool is_read = event_cursor_read(store, feed, ret_cursor);
    store_pool_give_back(forum->pool, store);
    return is_read;
}

/* 0: no whole answer. */
static long get(const char *url, struct remote_answer *answer)
{
    long status = 0;
    CURL *remote = remote_new(url, ASK_EVENTS_MS, answer);
    if (remote != NULL && curl_easy_perform(remote) == CURLE_OK)
        curl_easy_getinfo(remote, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_cleanup(remote);
    return status;
}

bool ask_events(struct forum *forum, enum feed feed)
{
    char url[URL_BYTES];
    int64_t cursor = 0;
    struct remote_answer answer;
    const char *origin = follower_origin(forum->follower, feed);
    if (origin == NULL || !read_cursor(forum, feed, &cursor))
        return false;
    text_init(&answer.body, EVENTS_LIMIT);
    snprintf(url, sizeof(url), "%s/internal/feed/%s?after=%" PRId64 "&limit=500", origin,
             feed_name(feed), cursor);
    bool has_reached = get(url, &answer) == 200 && answer.feed_last >= 0;
    if (has_reached && answer.body.length > 0)
        has_reached =
            event_apply(forum->writer, feed, &answer.body, &cursor) && cursor >= answer.feed_last;
    text_done(&answer.body);
    return has_reached;
}
