/*
 * A child process that control waits for without blocking: started without a shell, ended by its
 * own end or by a limit. Control thread.
 */
#ifndef CONTROL_PROGRAM_H
#define CONTROL_PROGRAM_H

#include <sys/types.h>

#include "proxy/core/fault.h"
#include "proxy/net/loop.h"

struct program {
    struct loop *loop;
    ev_io ended; /* its pidfd becomes readable */
    struct deadline limit;
    pid_t pid;
    int pid_fd;
    /* Exit status 0 … 255; -1: a signal ended it; -2: the limit did. */
    void (*on_end)(struct program *program, int status);
};

enum { PROGRAM_SIGNALLED = -1, PROGRAM_TIMED_OUT = -2 };

/* Runs argv[0] with our environment and standard error; `program` is the caller's. */
bool program_start(struct program *program, struct loop *loop, char *const argv[],
                   uint64_t limit_ms, void (*on_end)(struct program *program, int status),
                   struct fault *fault);

bool program_is_running(const struct program *program);

/* Kills it if it runs; no event comes after this. */
void program_stop(struct program *program);

#endif
