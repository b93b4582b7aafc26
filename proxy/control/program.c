#include "proxy/control/program.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum { NO_PID = 0 };

/* It leads a group of its own, so that what a script has started ends with it. */
static void kill_all(const struct program *program)
{
    kill(-program->pid, SIGKILL);
}

/* Takes the child's end, so that no zombie stays. */
static int reap(struct program *program)
{
    int status = 0;
    while (waitpid(program->pid, &status, 0) < 0 && errno == EINTR)
        ;
    ev_io_stop(program->loop->ev, &program->ended);
    deadline_stop(&program->limit);
    close(program->pid_fd);
    program->pid = NO_PID;
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

/* The child starts with the signals as a shell would give them, and writes to our standard error.
 */
static int spawn(pid_t *ret_pid, char *const argv[])
{
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_t actions;
    sigset_t none;
    sigset_t defaults;
    sigemptyset(&none);
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    sigaddset(&defaults, SIGXFSZ);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                              POSIX_SPAWN_SETPGROUP);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", 0, 0);
    posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
    int error = posix_spawnp(ret_pid, argv[0], &actions, &attributes, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return error;
}

bool program_start(struct program *program, struct loop *loop, char *const argv[],
                   uint64_t limit_ms, void (*on_end)(struct program *program, int status),
                   struct fault *fault)
{
    program->loop = loop;
    program->on_end = on_end;
    deadline_init(&program->limit, on_limit);
    int error = spawn(&program->pid, argv);
    if (error != 0) {
        program->pid = NO_PID;
        return fault_set(fault, "cannot run `%s`: %s", argv[0], strerror(error));
    }
    program->pid_fd = pidfd_open(program->pid, 0);
    if (program->pid_fd < 0) {
        fault_set(fault, "cannot watch `%s`: %s", argv[0], strerror(errno));
        kill_all(program);
        waitpid(program->pid, NULL, 0);
        program->pid = NO_PID;
        return false;
    }
    ev_io_init(&program->ended, on_ended, program->pid_fd, EV_READ);
    program->ended.data = program;
    ev_io_start(loop->ev, &program->ended);
    deadline_start(loop, &program->limit, limit_ms);
    return true;
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
