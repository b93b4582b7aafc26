#include "proxy/observe/access_log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "proxy/core/array.h"
#include "proxy/core/check.h"
#include "proxy/core/log.h"
#include "proxy/observe/access_log_ring.h"

enum {
    RINGS_MAX = 256,
    WRITE_INTERVAL_MS = 20, /* how long a line may wait for others */
    COMPLAINT_INTERVAL_S = 10,
    POLL_MS = 100,
    STALL_PATIENCE_MS = 1000, /* how long an end or a move waits for a reader that has stalled */
    NO_FD = -1,
};

/* The descriptor belongs to the writer; a new one is handed over in `next_fd`. So nobody ever waits
 * for a reader of the log that has stalled. */
struct access_log {
    pthread_t thread;
    sem_t called; /* the writer: to stop, or to move */
    sem_t moved;
    _Atomic bool stopping;
    int fd;
    bool is_file;        /* writes do not wait for a reader */
    _Atomic int next_fd; /* NO_FD: none */
    struct access_log_ring *rings[RINGS_MAX];
    _Atomic uint32_t ring_count;
    uint64_t dropped_said; /* how many lost lines have been complained about */
    time_t complained;     /* when */
    bool write_failed;     /* said once, until a write succeeds again */
};

static void take_fd(struct access_log *log, int fd)
{
    struct stat file;
    log->fd = fd;
    log->is_file = fstat(fd, &file) == 0 && S_ISREG(file.st_mode);
}

static void swap_fd(struct access_log *log)
{
    int next = atomic_exchange(&log->next_fd, NO_FD);
    if (next == NO_FD)
        return;
    close(log->fd);
    take_fd(log, next);
    sem_post(&log->moved);
}

/*
 * Waits until a write would not block. A reader that has stalled is waited for, but only for a
 * while when the log is to end (false) or to move (then the rest goes to the new file).
 */
static bool wait_writable(struct access_log *log, uint64_t *patience_ms)
{
    while (!log->is_file) {
        struct pollfd poll_fd = {.fd = log->fd, .events = POLLOUT};
        if (poll(&poll_fd, 1, POLL_MS) > 0)
            return true;
        bool moving = atomic_load(&log->next_fd) != NO_FD;
        if (!moving && !atomic_load(&log->stopping))
            continue;
        if (*patience_ms >= POLL_MS)
            *patience_ms -= POLL_MS;
        else if (moving)
            swap_fd(log);
        else
            return false;
    }
    return true;
}

/* What leaves in one write: whole lines, because during a hand-over two processes write the file;
 * and no more than what is sure not to block when a pipe can be written. */
static size_t piece_bytes(const struct access_log *log, struct strview lines)
{
    if (log->is_file || lines.length <= PIPE_BUF)
        return lines.length;
    const char *end = memrchr(lines.data, '\n', PIPE_BUF);
    return end != NULL ? (size_t)(end - lines.data) + 1 : PIPE_BUF;
}

/* How many bytes are done with: what cannot be written is lost; what comes later may fare better.
 */
static size_t write_piece(struct access_log *log, struct strview lines)
{
    size_t bytes = piece_bytes(log, lines);
    ssize_t written = write(log->fd, lines.data, bytes);
    if (written < 0 && (errno == EINTR || errno == EAGAIN))
        return 0;
    if (written <= 0 && !log->write_failed)
        log_error("cannot write the access log: %s", strerror(errno));
    log->write_failed = written <= 0;
    return written > 0 ? (size_t)written : bytes;
}

/* Writes out a ring up to the position `end`. */
static bool drain(struct access_log *log, struct access_log_ring *ring, uint64_t end,
                  uint64_t *patience_ms)
{
    struct strview lines;
    while ((lines = log_ring_look(ring, end)).length > 0) {
        if (!wait_writable(log, patience_ms))
            return false;
        log_ring_take(ring, write_piece(log, lines));
    }
    return true;
}

static void drain_all(struct access_log *log, bool to_marks)
{
    uint64_t patience_ms = STALL_PATIENCE_MS;
    uint32_t count = atomic_load_explicit(&log->ring_count, memory_order_acquire);
    for (uint32_t i = 0; i < count; i++) {
        struct access_log_ring *ring = log->rings[i];
        uint64_t end =
            atomic_load_explicit(to_marks ? &ring->mark : &ring->written, memory_order_acquire);
        if (!drain(log, ring, end, &patience_ms))
            return;
    }
}

/* A full ring loses lines silently; its owner has no time to say so, and here is some. */
static void complain_about_losses(struct access_log *log)
{
    uint64_t dropped = access_log_dropped(log);
    time_t now = time(NULL);
    if (dropped == log->dropped_said || now - log->complained < COMPLAINT_INTERVAL_S)
        return;
    log_warning("the access log lost %llu lines: more came than could be written",
                (unsigned long long)(dropped - log->dropped_said));
    log->dropped_said = dropped;
    log->complained = now;
}

/* What was logged before the log moved goes to the old file, the rest to the new one. */
static void run_round(struct access_log *log)
{
    if (atomic_load(&log->next_fd) != NO_FD) {
        drain_all(log, true);
        swap_fd(log);
    }
    drain_all(log, false);
    complain_about_losses(log);
}

static struct timespec time_in(long ms)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += ms / 1000;
    until.tv_nsec += ms % 1000 * 1000000L;
    if (until.tv_nsec >= 1000000000L) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000L;
    }
    return until;
}

/* No worker calls the writer: that would be a system call and a change of threads on its way. */
static void *run_writer(void *argument)
{
    struct access_log *log = argument;
    while (!atomic_load(&log->stopping)) {
        struct timespec until = time_in(WRITE_INTERVAL_MS);
        sem_clockwait(&log->called, CLOCK_MONOTONIC, &until); /* whatever it was that ended it */
        run_round(log);
    }
    run_round(log);
    return NULL;
}

int access_log_open(const char *path, struct fault *fault)
{
    /* Without O_NONBLOCK, opening a FIFO would wait for its reader. */
    int fd = strcmp(path, "-") == 0
                 ? fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3)
                 : open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK, 0640);
    if (fd < 0)
        fault_set(fault, "cannot open access log `%s`: %s", path, strerror(errno));
    return fd;
}

struct access_log *access_log_new(const char *path, struct fault *fault)
{
    int fd = access_log_open(path, fault);
    if (fd < 0)
        return NULL;
    struct access_log *log = memory_zalloc(sizeof(*log));
    take_fd(log, fd);
    log->next_fd = NO_FD;
    sem_init(&log->called, 0, 0);
    sem_init(&log->moved, 0, 0);
    int error = pthread_create(&log->thread, NULL, run_writer, log);
    if (error != 0) {
        fault_set(fault, "cannot start the access log: %s", strerror(error));
        close(fd);
        free(log);
        return NULL;
    }
    return log;
}

void access_log_free(struct access_log *log)
{
    atomic_store(&log->stopping, true);
    sem_post(&log->called);
    pthread_join(log->thread, NULL);
    for (uint32_t i = 0; i < log->ring_count; i++)
        log_ring_free(log->rings[i]);
    if (log->next_fd != NO_FD)
        close(log->next_fd);
    close(log->fd);
    sem_destroy(&log->called);
    sem_destroy(&log->moved);
    free(log);
}

void access_log_move_take(struct access_log *log, int fd)
{
    for (uint32_t i = 0; i < log->ring_count; i++)
        atomic_store(&log->rings[i]->mark, atomic_load(&log->rings[i]->written));
    int unused = atomic_exchange(&log->next_fd, fd);
    if (unused != NO_FD)
        close(unused);
    struct timespec until = time_in(STALL_PATIENCE_MS + 2 * POLL_MS);
    sem_post(&log->called);
    while (atomic_load(&log->next_fd) == fd &&
           (sem_clockwait(&log->moved, CLOCK_MONOTONIC, &until) == 0 || errno == EINTR))
        ; /* a move before this one may not have been waited for */
}

bool access_log_reopen(struct access_log *log, const char *path, struct fault *fault)
{
    int fd = access_log_open(path, fault);
    if (fd < 0)
        return false;
    access_log_move_take(log, fd);
    return true;
}

struct access_log_ring *access_log_add_ring(struct access_log *log)
{
    uint32_t count = log->ring_count;
    CHECK(count < RINGS_MAX);
    log->rings[count] = log_ring_new();
    atomic_store_explicit(&log->ring_count, count + 1, memory_order_release);
    return log->rings[count];
}

uint64_t access_log_dropped(const struct access_log *log)
{
    uint64_t sum = 0;
    uint32_t count = atomic_load_explicit(&log->ring_count, memory_order_acquire);
    for (uint32_t i = 0; i < count; i++)
        sum += atomic_load_explicit(&log->rings[i]->dropped, memory_order_relaxed);
    return sum;
}
