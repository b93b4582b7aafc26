/*
 * One line an exchange, off the workers' path: a worker formats its line into a ring of its own,
 * one thread of the process writes all rings out, many lines at once. A full ring drops lines and
 * counts them; it never makes a worker wait. Query values, cookies and authorization are not
 * logged.
 */
#ifndef OBSERVE_ACCESS_LOG_H
#define OBSERVE_ACCESS_LOG_H

#include "proxy/core/fault.h"
#include "proxy/core/strview.h"

enum access_log_format { ACCESS_LOG_JSON, ACCESS_LOG_COMBINED };

struct access_log_entry {
    uint64_t unix_ms;
    struct strview request_id;
    struct strview trace_id;
    struct strview client;
    struct strview protocol;
    struct strview method;
    struct strview authority;
    struct strview path;  /* as the client sent it, without query */
    struct strview query; /* names are logged, values replaced by "…" */
    int status;           /* 0: the client was gone before an answer */
    uint64_t bytes_received;
    uint64_t bytes_sent;
    uint64_t duration_us;
    uint64_t first_byte_us; /* 0: none came */
    struct strview route;
    struct strview module;
    struct strview stage;
    struct strview side;
    struct strview reason;
    struct strview endpoint;
    uint32_t attempts;
    bool shadow; /* a copy was begun */
    uint64_t generation;
};

struct access_log;      /* the writer thread and its file */
struct access_log_ring; /* one worker's */

/* Starts the writer. NULL with *fault set when the file cannot be opened. "-" is standard output.
 */
struct access_log *access_log_new(const char *path, struct fault *fault);

/* Writes what is left, waiting at most a second for a reader that has stalled, and ends the thread.
 * No worker may use its ring any more. */
void access_log_free(struct access_log *log);

/* Opens the file again, or another one (rotation, reload): what was logged before goes to the old
 * one. Waits for that, but not much longer than a second for a reader that has stalled. Control
 * thread. */
bool access_log_reopen(struct access_log *log, const char *path, struct fault *fault);

/* The same in two steps, for who has more to do that may fail: a descriptor, -1 with *fault set,
 * and the move, which takes it and cannot fail. */
int access_log_open(const char *path, struct fault *fault);
void access_log_move_take(struct access_log *log, int fd);

/* A ring for one more worker; freed with the log. Control thread, before the worker starts. */
struct access_log_ring *access_log_add_ring(struct access_log *log);

/* Formats and queues one line. The ring's own worker. */
void access_log_write(struct access_log_ring *ring, enum access_log_format format,
                      const struct access_log_entry *entry);

/* Lines that found a full ring, all workers together. Any thread. */
uint64_t access_log_dropped(const struct access_log *log);

#endif
