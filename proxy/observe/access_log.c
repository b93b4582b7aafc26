#include "proxy/observe/access_log.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "proxy/core/array.h"
#include "proxy/core/log.h"
#include "proxy/observe/access_log_format.h"

enum { RING_BYTES = 1 << 20, WRITE_INTERVAL_MS = 50, RINGS_MAX = 256 };

/* Single producer (the worker), single consumer (the writer). Positions only grow. */
struct access_log_ring {
    _Atomic uint64_t written;
    char padding[64 - sizeof(uint64_t)]; /* the two positions on different cache lines */
    _Atomic uint64_t taken;
    _Atomic uint64_t dropped;
    char bytes[RING_BYTES];
};

struct access_log {
    pthread_t thread;
    pthread_mutex_t lock; /* guards fd, rings, ring_count and stop; no worker takes it */
    pthread_cond_t stopped;
    int fd;
    struct access_log_ring *rings[RINGS_MAX];
    uint32_t ring_count;
    bool stop;
    bool write_failed; /* said once, until a write succeeds again */
};

static void write_all(struct access_log *log, const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t written = write(log->fd, bytes, length);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0) {
            if (!log->write_failed)
                log_error("cannot write the access log: %s", strerror(errno));
            log->write_failed = true;
            return;
        }
        log->write_failed = false;
        bytes += written;
        length -= (size_t)written;
    }
}

static void drain(struct access_log *log, struct access_log_ring *ring)
{
    uint64_t taken = atomic_load_explicit(&ring->taken, memory_order_relaxed);
    uint64_t written = atomic_load_explicit(&ring->written, memory_order_acquire);
    while (taken < written) {
        size_t at = taken % RING_BYTES;
        size_t part = RING_BYTES - at;
        if (part > written - taken)
            part = (size_t)(written - taken);
        write_all(log, ring->bytes + at, part);
        taken += part;
        atomic_store_explicit(&ring->taken, taken, memory_order_release);
    }
}

static void drain_all(struct access_log *log)
{
    for (uint32_t i = 0; i < log->ring_count; i++)
        drain(log, log->rings[i]);
}

static void *run_writer(void *argument)
{
    struct access_log *log = argument;
    pthread_mutex_lock(&log->lock);
    while (!log->stop) {
        drain_all(log);
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += WRITE_INTERVAL_MS * 1000000L;
        if (until.tv_nsec >= 1000000000L) {
            until.tv_sec++;
            until.tv_nsec -= 1000000000L;
        }
        pthread_cond_timedwait(&log->stopped, &log->lock, &until);
    }
    drain_all(log);
    pthread_mutex_unlock(&log->lock);
    return NULL;
}

static int open_path(const char *path, struct fault *fault)
{
    int fd = strcmp(path, "-") == 0 ? fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3)
                                    : open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
    if (fd < 0)
        fault_set(fault, "cannot open access log `%s`: %s", path, strerror(errno));
    return fd;
}

struct access_log *access_log_new(const char *path, struct fault *fault)
{
    int fd = open_path(path, fault);
    if (fd < 0)
        return NULL;
    struct access_log *log = memory_zalloc(sizeof(*log));
    log->fd = fd;
    pthread_mutex_init(&log->lock, NULL);
    pthread_cond_init(&log->stopped, NULL);
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
    pthread_cond_signal(&log->stopped);
    pthread_mutex_unlock(&log->lock);
    pthread_join(log->thread, NULL);
    for (uint32_t i = 0; i < log->ring_count; i++)
        free(log->rings[i]);
    close(log->fd);
    pthread_cond_destroy(&log->stopped);
    pthread_mutex_destroy(&log->lock);
    free(log);
}

bool access_log_reopen(struct access_log *log, const char *path, struct fault *fault)
{
    int fd = open_path(path, fault);
    if (fd < 0)
        return false;
    pthread_mutex_lock(&log->lock);
    drain_all(log);
    int old = log->fd;
    log->fd = fd;
    pthread_mutex_unlock(&log->lock);
    close(old);
    return true;
}

struct access_log_ring *access_log_add_ring(struct access_log *log)
{
    struct access_log_ring *ring = memory_zalloc(sizeof(*ring));
    pthread_mutex_lock(&log->lock);
    if (log->ring_count < RINGS_MAX)
        log->rings[log->ring_count++] = ring;
    else {
        free(ring);
        ring = log->rings[0];
    }
    pthread_mutex_unlock(&log->lock);
    return ring;
}

void access_log_write(struct access_log_ring *ring, enum access_log_format format,
                      const struct access_log_entry *entry)
{
    char line[ACCESS_LOG_LINE_BYTES];
    size_t length = access_log_format_line(format, entry, line);
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
    for (uint32_t i = 0; i < log->ring_count; i++)
        sum += atomic_load_explicit(&log->rings[i]->dropped, memory_order_relaxed);
    return sum;
}
