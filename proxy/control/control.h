/*
 * The main thread: owns configuration, workers, counters and the access log; listens to signals and
 * to the admin address. Everything that changes the running proxy goes through here.
 */
#ifndef CONTROL_CONTROL_H
#define CONTROL_CONTROL_H

/*
 * Serves the configuration at `path` until a signal ends it. HUP: reload. TERM, INT: stop. QUIT:
 * finish what was begun, then stop. USR1: reopen the access log. USR2: hand over to
 * a new process of the program's file (hand_over.h). Returns the exit status: 0 after an orderly
 * end, 1 when it could not start (said on standard error).
 */
int control_run(const char *path);

#endif
