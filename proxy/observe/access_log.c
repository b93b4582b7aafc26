#include "proxy/observe/access_log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "proxy/core/array.h"
#include "proxy/core/check.h"
#include "proxy/core/log.h"
#include "proxy/observe/access_log_format.h"

enum {
    RING_BYTES = 8 << 20, /* touched only as far as it fills up between two rounds */
    RINGS_MAX = 256,
    WRITE_INTERVAL_MS = 20,
    COMPLAINT_INTERVAL_S = 10,
    FILE_PIECE_BYTES = 64 * 1024,
    POLL_MS = 100,
    STALL_PATIENCE_MS = 1000, /* how long an end or a move waits for a reader that has stalled */
    NO_FD = -1,
};

/* Single producer (the worker), single consumer (the writer). Positions only grow. */
struct access_log_ring {
    _Atomic uint64_t written;
    char padding[64 - sizeof(uint64_t)]; /* the two positions on different cache lines */
    _Atomic uint64_t taken;
    _Atomic uint64_t mark; /* `written` when the log last moved */
    _Atomic uint64_t dropped;
    struct access_log_second second;
    char bytes[RING_BYTES];
};

/* The descriptor belongs to the writer; a new one is handed over in `next_fd`. So nobody ever waits
 * for a reader of the log that has stalled. */
struct access_log {
    pthread_t thread;
    pthread_mutex_t lock; /* guards stop; never held while writing */
    pthread_cond_t woken; /* the writer: to stop, or to move */
    pthread_cond_t moved;
    bool stop;
    _Atomic bool stopping; /* the same, for the writer in the middle of a piece */
    int fd;
    size_t piece_bytes;  /* what one write may take without blocking */
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
    bool regular = fstat(fd, &file) == 0 && S_ISREG(file.st_mode);
    log->fd = fd;
    log->piece_bytes = regular ? FILE_PIECE_BYTES : PIPE_BUF;
}

static void swap_fd(struct access_log *log)
{
    int next = atomic_exchange(&log->next_fd, NO_FD);
    if (next == NO_FD)
        return;
    close(log->fd);
    take_fd(log, next);
    pthread_mutex_lock(&log->lock);
    pthread_cond_signal(&log->moved);
    pthread_mutex_unlock(&log->lock);
}

/*
 * Waits until a write would not block. A reader that has stalled is waited for, but only for a
 * while when the log is to end (false) or to move (then the rest goes to the new file).
 */
static bool wait_writable(struct access_log *log, uint64_t *patience_ms)
{
    for (;;) {
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
}

/* What leaves in one write: whole lines, because during a hand-over two processes write the file.
 */
static size_t piece_bytes(const struct access_log *log, const struct access_log_ring *ring,
                          uint64_t from, uint64_t end)
{
    if (end - from <= log->piece_bytes)
        return (size_t)(end - from);
    for (size_t bytes = log->piece_bytes; bytes > 0; bytes--) {
        if (ring->bytes[(from + bytes - 1) % RING_BYTES] == '\n')
            return bytes;
    }
    return log->piece_bytes;
}

/* From one position on, around the ring's end if need be. As write(2). */
static ssize_t write_piece(const struct access_log *log, struct access_log_ring *ring,
                           uint64_t from, size_t bytes)
{
    size_t at = from % RING_BYTES;
    size_t first = RING_BYTES - at < bytes ? RING_BYTES - at : bytes;
    const struct iovec parts[] = {{ring->bytes + at, first}, {ring->bytes, bytes - first}};
    return writev(log->fd, parts, first < bytes ? 2 : 1);
}

/* Writes out a ring up to the position `end`. */
static bool drain(struct access_log *log, struct access_log_ring *ring, uint64_t end,
                  uint64_t *patience_ms)
{
    uint64_t taken = atomic_load_explicit(&ring->taken, memory_order_relaxed);
    while (taken < end) {
        if (!wait_writable(log, patience_ms))
            return false;
        size_t bytes = piece_bytes(log, ring, taken, end);
        ssize_t written = write_piece(log, ring, taken, bytes);
        if (written < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (written <= 0 && !log->write_failed)
            log_error("cannot write the access log: %s", strerror(errno));
        log->write_failed = written <= 0;
        /* What cannot be written is lost; what comes later may fare better. */
        taken += written > 0 ? (size_t)written : bytes;
        atomic_store_explicit(&ring->taken, taken, memory_order_release);
    }
    return true;
}

static bool drain_all(struct access_log *log, bool to_marks)
{
    uint64_t patience_ms = STALL_PATIENCE_MS;
    uint32_t count = atomic_load_explicit(&log->ring_count, memory_order_acquire);
    for (uint32_t i = 0; i < count; i++) {
        struct access_log_ring *ring = log->rings[i];
        uint64_t end =
            atomic_load_explicit(to_marks ? &ring->mark : &ring->written, memory_order_acquire);
        if (!drain(log, ring, end, &patience_ms))
            return false;
    }
    return true;
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
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += ms / 1000;
    until.tv_nsec += ms % 1000 * 1000000L;
    if (until.tv_nsec >= 1000000000L) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000L;
    }
    return until;
}

/* Waits for the next round; true when it was the last. */
static bool wait_for_stop(struct access_log *log)
{
    struct timespec until = time_in(WRITE_INTERVAL_MS);
    pthread_mutex_lock(&log->lock);
    if (!log->stop && atomic_load(&log->next_fd) == NO_FD)
        pthread_cond_timedwait(&log->woken, &log->lock, &until);
    bool stop = log->stop;
    pthread_mutex_unlock(&log->lock);
    return stop;
}

static void *run_writer(void *argument)
{
    struct access_log *log = argument;
    while (!wait_for_stop(log))
        run_round(log);
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
    pthread_mutex_init(&log->lock, NULL);
    pthread_cond_init(&log->woken, NULL);
    pthread_cond_init(&log->moved, NULL);
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
    pthread_mutex_lock(&log->lock);
    log->stop = true;
    atomic_store(&log->stopping, true);
    pthread_cond_signal(&log->woken);
    pthread_mutex_unlock(&log->lock);
    pthread_join(log->thread, NULL);
    for (uint32_t i = 0; i < log->ring_count; i++)
        free(log->rings[i]);
    if (log->next_fd != NO_FD)
        close(log->next_fd);
    close(log->fd);
    pthread_cond_destroy(&log->woken);
    pthread_cond_destroy(&log->moved);
    pthread_mutex_destroy(&log->lock);
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
    pthread_mutex_lock(&log->lock);
    pthread_cond_signal(&log->woken);
    while (atomic_load(&log->next_fd) == fd &&
           pthread_cond_timedwait(&log->moved, &log->lock, &until) == 0)
        ;
    pthread_mutex_unlock(&log->lock);
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
    struct access_log_ring *ring = memory_zalloc(sizeof(*ring));
    log->rings[count] = ring;
    atomic_store_explicit(&log->ring_count, count + 1, memory_order_release);
    return ring;
}

void access_log_write(struct access_log_ring *ring, enum access_log_format format,
                      const struct access_log_entry *entry)
{
    char line[ACCESS_LOG_LINE_BYTES];
    size_t length = access_log_format_line(&ring->second, format, entry, line);
    uint64_t written = atomic_load_explicit(&ring->written, memory_order_relaxed);
    uint64_t taken = atomic_load_explicit(&ring->taken, memory_order_acquire);
    if (RING_BYTES - (written - taken) < length) {
        atomic_fetch_add_explicit(&ring->dropped, 1, memory_order_relaxed);
        return;
    }
    size_t at = written % RING_BYTES;
    size_t first = RING_BYTES - at < length ? RING_BYTES - at : length;
    memcpy(ring->bytes + at, line, first);
    memcpy(ring->bytes, line + first, length - first);
    atomic_store_explicit(&ring->written, written + length, memory_order_release);
}

uint64_t access_log_dropped(const struct access_log *log)
{
    uint64_t sum = 0;
    uint32_t count = atomic_load_explicit(&log->ring_count, memory_order_acquire);
    for (uint32_t i = 0; i < count; i++)
        sum += atomic_load_explicit(&log->rings[i]->dropped, memory_order_relaxed);
    return sum;
}
