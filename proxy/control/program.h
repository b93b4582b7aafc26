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
    bool leads_group; /* what it has started ends with it */
    /* Exit status 0 … 255; -1: a signal ended it; -2: the limit did. */
    void (*on_end)(struct program *program, int status);
};

enum { PROGRAM_SIGNALLED = -1, PROGRAM_TIMED_OUT = -2 };
enum { PROGRAM_FIRST_FD = 3 };

/* What a child gets besides the words. */
struct program_gifts {
    char *const *environment;
    const int *fds; /* become its descriptors PROGRAM_FIRST_FD and following */
    size_t fd_count;
};

/* Runs argv[0] with our environment and standard error; `program` is the caller's. */
bool program_start(struct program *program, struct loop *loop, char *const argv[],
                   uint64_t limit_ms, void (*on_end)(struct program *program, int status),
                   struct fault *fault);

/* The same for a child that gets more, keeps standard input and output, and stays in our process
 * group, because it is to be what we are. The limit and on_end come with program_watch. */
pid_t program_spawn(char *const argv[], const struct program_gifts *gifts, struct fault *fault);
bool program_watch(struct program *program, struct loop *loop, pid_t pid, uint64_t limit_ms,
                   void (*on_end)(struct program *program, int status), struct fault *fault);

/* It goes on without us: no event comes any more. */
void program_release(struct program *program);

bool program_is_running(const struct program *program);

/* Kills it if it runs; no event comes after this. */
void program_stop(struct program *program);

#endif
