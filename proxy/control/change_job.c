#include "proxy/control/change_job.h"

#include <stdlib.h>

#include "proxy/control/change_rules.h"
#include "proxy/control/control_internal.h"
#include "proxy/core/array.h"

static void copy_text(char *to, struct strview from)
{
    memcpy(to, from.data != NULL ? from.data : "", from.length);
    to[from.length] = '\0';
}

struct change_job *change_job_new(struct control *control, const struct change *change)
{
    struct change_job *job = memory_zalloc(sizeof(*job));
    job->control = control;
    job->change = *change;
    copy_text(job->module, change->module);
    copy_text(job->note.who, change->who);
    copy_text(job->note.why, change->why);
    job->note.unix_ms = control->loop.wall_ms;
    job->change.module = strview_of(job->module);
    job->change.who = strview_of(job->note.who);
    job->change.why = strview_of(job->note.why);
    job->result = (struct change_result){.status = 200, .durable = true};
    list_init(&job->waiting);
    deadline_init(&job->poll, NULL);
    list_append(&control->jobs, &job->node);
    return job;
}

void change_job_end(struct change_job *job)
{
    job->result.generation = control_generation(job->control);
    if (job->on_done != NULL)
        job->on_done(job->owner, &job->result);
    change_job_free(job);
}

void change_job_free(struct change_job *job)
{
    deadline_stop(&job->poll);
    list_remove(&job->waiting);
    list_remove(&job->node);
    free(job);
}

struct live_module *change_job_module(struct change_job *job)
{
    struct live_module *module = live_state_find(job->control->live, job->change.module);
    if (module != NULL && module->declared)
        return module;
    if (job->module[0] == '\0')
        change_refuse(&job->result, 422, "%.*s needs a module",
                      STRVIEW_ARGS(change_verb_name(job->change.verb)));
    else
        change_refuse(&job->result, 404, "no module is called `%s`", job->module);
    return NULL;
}
