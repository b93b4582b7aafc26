/*
 * Work that a reply waits for, such as a call to another application. It outlives the call of the
 * route that began it: the route is called again once it is done, and finds it by its kind.
 * Owner: the reply, which frees it with itself, done or not. The loop's thread.
 */
#ifndef SERVICE_KIT_HTTP_TASK_H
#define SERVICE_KIT_HTTP_TASK_H

#include "extracted/service_kit/http_message.h"

struct http_task {
    struct http_task *next;
    struct http_reply *reply;
    void (*free)(struct http_task *task); /* tells the kinds apart, too */
    bool is_done;
};

/* NULL: the reply has none of that kind. */
struct http_task *http_task_find(const struct http_reply *reply,
                                 void (*kind)(struct http_task *task));

/* Gives the task to the reply, which then waits for it, at the latest until `until` (the loop's
 * time). A server that stops waits for it, too. */
void http_task_start(struct http_reply *reply, struct http_task *take_task, double until);

/* The route is called again soon. */
void http_task_finish(struct http_task *task);

void http_task_free_all(struct http_reply *reply);

#endif
