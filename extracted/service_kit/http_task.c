#include "extracted/service_kit/http_task.h"

struct http_task *http_task_find(const struct http_reply *reply,
                                 void (*kind)(struct http_task *task))
{
    struct http_task *task = reply->tasks;
    while (task != NULL && task->free != kind)
        task = task->next;
    return task;
}

void http_task_start(struct http_reply *reply, struct http_task *take_task, double until)
{
    take_task->next = reply->tasks;
    take_task->reply = reply;
    reply->tasks = take_task;
    reply->wait = HTTP_WAIT_TASK;
    reply->wait_until = until;
}

void http_task_finish(struct http_task *task)
{
    task->is_done = true;
    task->reply->is_woken = true;
}

void http_task_free_all(struct http_reply *reply)
{
    while (reply->tasks != NULL) {
        struct http_task *task = reply->tasks;
        reply->tasks = task->next;
        task->free(task);
    }
}
