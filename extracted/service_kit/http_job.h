/*
 * A job of the pool that a reply waits for: the route is called again once it ran. If the reply
 * goes away, the job does not run, or what comes out of it is thrown away.
 * Owner: the reply, while there is one; then the pool. The loop's thread.
 */
#ifndef SERVICE_KIT_HTTP_JOB_H
#define SERVICE_KIT_HTTP_JOB_H

#include "extracted/service_kit/http_task.h"
#include "extracted/service_kit/job_pool.h"

enum { HTTP_JOB_WAIT_S = 10 };

/* The first member of what the job works on. */
struct http_job {
    struct http_task task;
    struct job job;
    struct job_pool *pool;
    void (*run)(struct http_job *job);  /* on a thread of the pool; touches nothing but the job */
    void (*free)(struct http_job *job); /* frees the whole of it */
    bool is_running;                    /* … or waits for that: the pool holds it */
    bool is_abandoned;                  /* the reply is gone */
};

/* NULL: the reply has begun none; it may have one. */
struct http_job *http_job_find(const struct http_reply *reply);

/* 503, which is worded as the path's face does; for a job that did not run in time as well. */
void http_job_reply_busy(struct http_reply *reply);

/* `run` and `free` are set. False: too much is waiting, or the reply cannot wait; the job was
 * freed, and the reply says that we are busy. Else the reply waits. */
bool http_job_start(const struct http_request *request, struct http_reply *reply,
                    struct http_job *take_job);

#endif
