#include "proxy/control/program.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proxy/core/array.h"

extern char **environ;

enum { NO_PID = 0 };

static void kill_all(const struct program *program)
{
    kill(program->leads_group ? -program->pid : program->pid, SIGKILL);
}

/* Takes the child's end, so that no zombie stays. */
static int reap(struct program *program)
{
    int status = 0;
    while (waitpid(program->pid, &status, 0) < 0 && errno == EINTR)
        ;
    program_release(program);
    return WIFEXITED(status) ? WEXITSTATUS(status) : PROGRAM_SIGNALLED;
}

static void on_ended(struct ev_loop *ev, ev_io *watcher, int events)
{
    (void)ev, (void)events;
    struct program *program = watcher->data;
    program->on_end(program, reap(program));
}

static void on_limit(struct deadline *deadline)
{
    struct program *program = LIST_ENTRY(deadline, struct program, limit);
    kill_all(program);
    reap(program);
    program->on_end(program, PROGRAM_TIMED_OUT);
}

/* --- beginning ----------------------------------------------------------------------------- */

/* The child starts with the signals as a shell would give them. */
static int spawn(pid_t *ret_pid, char *const argv[], char *const envp[], bool leads_group,
                 const posix_spawn_file_actions_t *actions)
{
    posix_spawnattr_t attributes;
    sigset_t none;
    sigset_t defaults;
    sigemptyset(&none);
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    sigaddset(&defaults, SIGXFSZ);
    posix_spawnattr_init(&attributes);
    short flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
    posix_spawnattr_setflags(&attributes,
                             leads_group ? (short)(flags | POSIX_SPAWN_SETPGROUP) : flags);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    int error = posix_spawnp(ret_pid, argv[0], actions, &attributes, argv, envp);
    posix_spawnattr_destroy(&attributes);
    return error;
}

static bool fault_start(struct fault *fault, const char *name, int error)
{
    return fault_set(fault, "cannot run `%s`: %s", name, strerror(error));
}

/* It writes to our standard error. */
static bool spawn_tool(pid_t *ret_pid, char *const argv[], struct fault *fault)
{
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", 0, 0);
    posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
    int error = spawn(ret_pid, argv, environ, true, &actions);
    posix_spawn_file_actions_destroy(&actions);
    return error == 0 || fault_start(fault, argv[0], error);
}

/* Duplicates above all that the child shall see, so that none is overwritten before its turn. */
static bool lift(const struct program_gifts *gifts, int *lifted, struct fault *fault)
{
    int above = PROGRAM_FIRST_FD + (int)gifts->fd_count;
    for (size_t i = 0; i < gifts->fd_count; i++) {
        lifted[i] = fcntl(gifts->fds[i], F_DUPFD_CLOEXEC, above);
        if (lifted[i] >= 0)
            continue;
        int error = errno;
        while (i > 0)
            close(lifted[--i]);
        return fault_set(fault, "descriptors cannot be passed: %s", strerror(error));
    }
    return true;
}

pid_t program_spawn(char *const argv[], const struct program_gifts *gifts, struct fault *fault)
{
    pid_t pid = NO_PID;
    int *lifted = memory_alloc(gifts->fd_count * sizeof(*lifted));
    if (!lift(gifts, lifted, fault)) {
        free(lifted);
        return NO_PID;
    }
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    for (size_t i = 0; i < gifts->fd_count; i++)
        posix_spawn_file_actions_adddup2(&actions, lifted[i], PROGRAM_FIRST_FD + (int)i);
    int error = spawn(&pid, argv, gifts->environment, false, &actions);
    posix_spawn_file_actions_destroy(&actions);
    for (size_t i = 0; i < gifts->fd_count; i++)
        close(lifted[i]);
    free(lifted);
    if (error == 0)
        return pid;
    fault_start(fault, argv[0], error);
    return NO_PID;
}

/* --- life ---------------------------------------------------------------------------------- */

bool program_watch(struct program *program, struct loop *loop, pid_t pid, uint64_t limit_ms,
                   void (*on_end)(struct program *program, int status), struct fault *fault)
{
    program->loop = loop;
    program->on_end = on_end;
    program->pid = NO_PID;
    deadline_init(&program->limit, on_limit);
    program->pid_fd = pidfd_open(pid, 0);
    if (program->pid_fd < 0) {
        fault_set(fault, "cannot watch a child: %s", strerror(errno));
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        return false;
    }
    program->pid = pid;
    ev_io_init(&program->ended, on_ended, program->pid_fd, EV_READ);
    program->ended.data = program;
    ev_io_start(loop->ev, &program->ended);
    deadline_start(loop, &program->limit, limit_ms);
    return true;
}

bool program_start(struct program *program, struct loop *loop, char *const argv[],
                   uint64_t limit_ms, void (*on_end)(struct program *program, int status),
                   struct fault *fault)
{
    pid_t pid;
    program->leads_group = true; /* a script may start others */
    return spawn_tool(&pid, argv, fault) &&
           program_watch(program, loop, pid, limit_ms, on_end, fault);
}

void program_release(struct program *program)
{
    ev_io_stop(program->loop->ev, &program->ended);
    deadline_stop(&program->limit);
    close(program->pid_fd);
    program->pid = NO_PID;
}

bool program_is_running(const struct program *program)
{
    return program->pid != NO_PID;
}

void program_stop(struct program *program)
{
    if (program->pid == NO_PID)
        return;
    kill_all(program);
    reap(program);
}
