/* How each verb is carried out. Each ends the job, within the call or later. Control thread. */
#ifndef CONTROL_CHANGE_VERBS_H
#define CONTROL_CHANGE_VERBS_H

#include "proxy/control/change_job.h"
#include "proxy/control/live_commit.h"

void change_run_value(struct change_job *job); /* stage, percent, unfreeze */
void change_run_abort(struct change_job *job);
void change_run_resume(struct change_job *job);
void change_run_writes(struct change_job *job);
void change_run_freeze(struct change_job *job);
void change_run_confirm(struct change_job *job);
void change_run_undo(struct change_job *job);
void change_run_save(struct change_job *job);

/* --- for those who carry something out ----------------------------------------------------- */

/* What the history tells of the commit. The note is borrowed. */
void change_describe(struct live_commit *commit, const struct live_note *note,
                     enum change_verb verb);

/* If the order says so, its one item goes back unless it is confirmed. */
void change_wait_for_confirmation(struct live_commit *commit, const struct change_job *job);

/* Journal, then state; the answer says how it went. */
bool change_store(struct live_commit *commit, struct change_job *job);

/* The same, and publishes. */
bool change_put_in_force(struct live_commit *commit, struct change_job *job);

#endif
