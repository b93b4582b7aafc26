#include "proxy/control/hand_over.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proxy/control/control_internal.h"
#include "proxy/control/notify.h"
#include "proxy/core/array.h"
#include "proxy/core/log.h"
#include "proxy/net/socket.h"

/* How often it is looked whether orders are still under way, and whether the admin address is free
 * again. */
enum { POLL_MS = 10, ADMIN_AGAIN_MS = 1000 };

extern char **environ;

/* --- what the new process gets ------------------------------------------------------------- */

/* Workers may share a socket: of each, one descriptor is enough. */
static void drop_copies(struct listener_sockets *sockets)
{
    ino_t *seen = memory_alloc((sockets->count + 1) * sizeof(*seen));
    size_t kept = 0;
    for (size_t i = 0; i < sockets->count; i++) {
        struct stat file = {.st_ino = 0};
        fstat(sockets->fds[i], &file);
        bool is_copy = false;
        for (size_t j = 0; j < kept && !is_copy; j++)
            is_copy = seen[j] == file.st_ino;
        if (is_copy) {
            close(sockets->fds[i]);
            continue;
        }
        seen[kept] = file.st_ino;
        sockets->fds[kept++] = sockets->fds[i];
    }
    sockets->count = kept;
    free(seen);
}

/* Those whose files are systemd's stand last; says how many they are. */
static size_t sort_by_origin(const struct control *control, struct listener_sockets *sockets)
{
    size_t ours = 0;
    for (size_t i = 0; i < sockets->count; i++) {
        int fd = sockets->fds[i];
        struct address address;
        if (socket_local_address(fd, &address) &&
            inherited_sockets_keep_file(&control->publisher.inherited, &address))
            continue;
        sockets->fds[i] = sockets->fds[ours];
        sockets->fds[ours++] = fd;
    }
    return sockets->count - ours;
}

static bool collect_sockets(struct control *control, struct listener_sockets *sockets,
                            size_t *ret_from_systemd, struct fault *fault)
{
    for (uint32_t i = 0; i < control->worker_count; i++) {
        if (!worker_copy_sockets(control->workers[i], sockets))
            return fault_set(fault, "there are not enough descriptors");
    }
    drop_copies(sockets);
    *ret_from_systemd = sort_by_origin(control, sockets);
    return sockets->count <= INHERITED_MAX ||
           fault_set(fault, "these are more than %d listening sockets", INHERITED_MAX);
}

/* Ours and one more. The caller frees the array. */
static char **make_environment(char *variable)
{
    size_t count = 0;
    while (environ[count] != NULL)
        count++;
    char **environment = memory_alloc((count + 2) * sizeof(*environment));
    memcpy(environment, environ, count * sizeof(*environment));
    environment[count] = variable;
    environment[count + 1] = NULL;
    return environment;
}

/* --- the end ------------------------------------------------------------------------------- */

static void hang_up(struct hand_over *hand_over)
{
    ev_io_stop(hand_over->control->loop.ev, &hand_over->heard);
    close(hand_over->fd);
}

static void reopen_admin(struct hand_over *hand_over)
{
    struct fault fault;
    struct control *control = hand_over->control;
    bool is_missed = hand_over->had_admin && control->admin == NULL;
    if (!is_missed || control_open_admin(control, control->publisher.current, &fault))
        return;
    log_error("%s; this is tried again", fault.text);
    deadline_start(&control->loop, &hand_over->again, ADMIN_AGAIN_MS);
}

/* The new process may have written: its generations are not given out again. */
static void reopen_journal(struct hand_over *hand_over)
{
    struct fault fault;
    uint64_t last = 0;
    struct control *control = hand_over->control;
    if (!hand_over->had_journal && !journal_exists(control->state_dir))
        return;
    if (!control_open_journal(control, &fault) ||
        !journal_last_generation(control->journal, &last, &fault))
        log_error("%s; the next change tries again", fault.text);
    if (control->next_generation <= last)
        control->next_generation = last + 1;
}

static void fail(struct hand_over *hand_over, const char *why)
{
    struct control *control = hand_over->control;
    bool had_let_go = hand_over->phase == HAND_OVER_LET_GO;
    deadline_stop(&hand_over->again);
    program_stop(&hand_over->program);
    hang_up(hand_over);
    hand_over->phase = HAND_OVER_NONE;
    log_error("USR2: %s; this process goes on", why);
    if (had_let_go) {
        reopen_journal(hand_over);
        live_clock_run(control);
    }
    reopen_admin(hand_over);
    notify_ready();
    if (hand_over->reload_wanted)
        control_reload(control);
}

static void on_program_end(struct program *program, int status)
{
    char text[FAULT_TEXT_BYTES];
    struct hand_over *hand_over = LIST_ENTRY(program, struct hand_over, program);
    if (status == PROGRAM_TIMED_OUT)
        snprintf(text, sizeof(text), "the new process was not ready in time");
    else if (status == PROGRAM_SIGNALLED)
        snprintf(text, sizeof(text), "the new process was killed");
    else
        snprintf(text, sizeof(text), "the new process ended with status %d", status);
    fail(hand_over, text);
}

/* It serves. What we have is finished; the pair tells of our end. */
static void succeed(struct hand_over *hand_over)
{
    struct control *control = hand_over->control;
    pid_t pid = hand_over->program.pid;
    program_release(&hand_over->program);
    ev_io_stop(control->loop.ev, &hand_over->heard);
    hand_over->phase = HAND_OVER_DONE;
    control->publisher.handed_over = true;
    log_info("process %lld has taken over", (long long)pid);
    notify_main_pid(pid);
    if (hand_over->reload_wanted)
        kill(pid, SIGHUP);
    control_drain(control);
}

/* --- letting go ---------------------------------------------------------------------------- */

/* Aborts are in force before they are recorded: all of them have to be, now. */
static bool is_recorded(struct control *control, struct fault *fault)
{
    for (uint32_t i = 0; i < control->live->count; i++) {
        const struct live_latch *latch = &control->live->modules[i].latch;
        if (latch->on && !latch->durable)
            return live_commit_flush(control, fault);
    }
    return true;
}

static void let_go(struct hand_over *hand_over)
{
    struct fault fault;
    struct control *control = hand_over->control;
    if (!is_recorded(control, &fault)) {
        fail(hand_over, fault.text);
        return;
    }
    hand_over->had_admin |= control->admin != NULL;
    admin_server_free(control->admin);
    control->admin = NULL;
    hand_over->had_journal = control->journal != NULL;
    journal_close(control->journal);
    control->journal = NULL;
    hand_over->phase = HAND_OVER_LET_GO;
    live_clock_set(control);
    char text[HAND_OVER_WORD_BYTES];
    int length = snprintf(text, sizeof(text), HAND_OVER_GO " %llu",
                          (unsigned long long)control_generation(control));
    /* Whoever is gone is noticed by its end. */
    ssize_t ignored = send(hand_over->fd, text, (size_t)length, MSG_NOSIGNAL);
    (void)ignored;
}

static bool is_quiet(const struct control *control)
{
    return list_is_empty(&control->jobs) && !flip_is_on(&control->flip) && !control->reloading;
}

/* Orders that came meanwhile are answered first; the limit of the whole goes on. */
static void let_go_when_quiet(struct hand_over *hand_over)
{
    if (is_quiet(hand_over->control))
        let_go(hand_over);
    else
        deadline_start(&hand_over->control->loop, &hand_over->again, POLL_MS);
}

static void on_again(struct deadline *deadline)
{
    struct hand_over *hand_over = LIST_ENTRY(deadline, struct hand_over, again);
    if (hand_over->phase == HAND_OVER_STARTING)
        let_go_when_quiet(hand_over);
    else
        reopen_admin(hand_over);
}

static void on_heard(struct ev_loop *ev, ev_io *watcher, int events)
{
    (void)events;
    char text[HAND_OVER_WORD_BYTES];
    struct hand_over *hand_over = watcher->data;
    ssize_t length = recv(hand_over->fd, text, sizeof(text), 0);
    if (length < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (length <= 0) {
        ev_io_stop(ev, watcher); /* it ends, or the limit ends it */
        return;
    }
    struct strview word = strview_make(text, (size_t)length);
    if (hand_over->phase == HAND_OVER_STARTING && strview_equal(word, STRVIEW(HAND_OVER_PREPARED)))
        let_go_when_quiet(hand_over);
    else if (hand_over->phase == HAND_OVER_LET_GO && strview_equal(word, STRVIEW(HAND_OVER_READY)))
        succeed(hand_over);
    else
        fail(hand_over, "the new process hands over in a way that is not ours");
}

/* --- the begin ----------------------------------------------------------------------------- */

static bool spawn(struct hand_over *hand_over, const struct listener_sockets *gifts,
                  size_t from_systemd, struct fault *fault)
{
    struct control *control = hand_over->control;
    char variable[HAND_OVER_WORD_BYTES];
    snprintf(variable, sizeof(variable), HAND_OVER_VARIABLE "=%zu,%zu", gifts->count - 1,
             from_systemd);
    char *const argv[] = {program_invocation_name, (char *)(uintptr_t) "run",
                          (char *)(uintptr_t)control->path, NULL};
    char **environment = make_environment(variable);
    pid_t pid =
        program_spawn(argv,
                      &(struct program_gifts){
                          .environment = environment, .fds = gifts->fds, .fd_count = gifts->count},
                      fault);
    free(environment);
    hand_over->program.leads_group = false;
    return pid > 0 && program_watch(&hand_over->program, &control->loop, pid,
                                    control->publisher.current->limits.hand_over_timeout_ms,
                                    on_program_end, fault);
}

/* The first that the new process hears. Without them its clients make whole handshakes, once. */
static void give_tickets(const struct control *control, int fd)
{
    struct tls_ticket_keys keys;
    tls_tickets_copy(control->tickets, &keys);
    if (send(fd, &keys, sizeof(keys), MSG_NOSIGNAL) < 0)
        log_warning("the keys of TLS tickets are not handed over: %s", strerror(errno));
    explicit_bzero(&keys, sizeof(keys));
}

/* The listening sockets and, as the last, the new process's end of the pair. */
static bool start(struct hand_over *hand_over, struct fault *fault)
{
    int pair[2];
    struct listener_sockets gifts = {.count = 0};
    size_t from_systemd = 0;
    bool good = collect_sockets(hand_over->control, &gifts, &from_systemd, fault);
    if (good && socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) != 0)
        good = fault_set(fault, "there is no socket pair: %s", strerror(errno));
    if (!good) {
        listener_sockets_close(&gifts);
        return false;
    }
    listener_sockets_add(&gifts, pair[1]);
    give_tickets(hand_over->control, pair[0]);
    good = spawn(hand_over, &gifts, from_systemd, fault);
    listener_sockets_close(&gifts);
    if (!good) {
        close(pair[0]);
        return false;
    }
    hand_over->fd = pair[0];
    ev_io_init(&hand_over->heard, on_heard, hand_over->fd, EV_READ);
    hand_over->heard.data = hand_over;
    ev_io_start(hand_over->control->loop.ev, &hand_over->heard);
    return true;
}

/* NULL: nothing. */
static const char *what_is_against(const struct control *control)
{
    if (control->draining)
        return "this process ends already";
    if (hand_over_is_on(&control->hand_over))
        return "a hand-over is under way";
    if (control->take_over.is_on)
        return "the process before this one still finishes its requests; wait for its end, or end "
               "it with TERM";
    if (flip_is_on(&control->flip) || control->reloading)
        return "a write owner is being changed";
    return NULL;
}

/* But for the admin address, when it is still tried to get that back. */
static void forget_last(struct hand_over *hand_over, struct control *control)
{
    bool had_admin = hand_over->had_admin && control->admin == NULL;
    if (hand_over->control != NULL)
        deadline_stop(&hand_over->again);
    *hand_over = (struct hand_over){.control = control, .had_admin = had_admin};
    deadline_init(&hand_over->again, on_again);
}

void hand_over_begin(struct control *control)
{
    struct fault fault;
    struct hand_over *hand_over = &control->hand_over;
    const char *against = what_is_against(control);
    if (against != NULL) {
        log_warning("USR2 is refused: %s", against);
        return;
    }
    forget_last(hand_over, control);
    if (!start(hand_over, &fault)) {
        log_error("USR2: %s; this process goes on", fault.text);
        reopen_admin(hand_over);
        return;
    }
    hand_over->phase = HAND_OVER_STARTING;
    log_info("handing over to process %lld", (long long)hand_over->program.pid);
    notify_reloading();
}

void hand_over_stop(struct hand_over *hand_over)
{
    if (hand_over->control == NULL)
        return;
    deadline_stop(&hand_over->again);
    program_stop(&hand_over->program);
    if (hand_over->phase != HAND_OVER_NONE)
        hang_up(hand_over);
    hand_over->phase = HAND_OVER_NONE;
}
