#include "extracted/service_kit/http_job.h"

#include <stddef.h>

#include "extracted/service_kit/service_state.h"

static struct http_job *job_of(struct job *job)
{
    return (struct http_job *)((char *)job - offsetof(struct http_job, job));
}

static void run(struct job *part)
{
    struct http_job *job = job_of(part);
    job->run(job);
}

static void on_end(struct job *part)
{
    struct http_job *job = job_of(part);
    job->is_running = false;
    if (job->is_abandoned)
        job->free(job);
    else
        http_task_finish(&job->task);
}

static void leave(struct http_task *task)
{
    struct http_job *job = (struct http_job *)task; /* the task is its first member */
    if (job->is_running && !job_pool_cancel(job->pool, &job->job))
        job->is_abandoned = true;
    else
        job->free(job);
}

struct http_job *http_job_find(const struct http_reply *reply)
{
    return (struct http_job *)http_task_find(reply, leave);
}

void http_job_reply_busy(struct http_reply *reply)
{
    http_reply_text(reply, 503, "Service Unavailable");
}

bool http_job_start(const struct http_request *request, struct http_reply *reply,
                    struct http_job *take_job)
{
    take_job->task = (struct http_task){.free = leave};
    take_job->job = (struct job){.run = run, .end = on_end};
    take_job->pool = request->state->jobs;
    take_job->is_abandoned = false;
    take_job->is_running = !request->is_last_call && job_pool_add(take_job->pool, &take_job->job);
    if (take_job->is_running) {
        http_task_start(reply, &take_job->task, request->now + HTTP_JOB_WAIT_S);
        return true;
    }
    take_job->free(take_job);
    http_job_reply_busy(reply);
    return false;
}
