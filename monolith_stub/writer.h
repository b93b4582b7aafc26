/*
 * The one connection that writes, and the lock around it. What happens between writer_begin and
 * writer_commit is one transaction, on disk before writer_commit returns (synchronous=FULL).
 * Owner: main. Any thread; they take turns.
 */
#ifndef MONOLITH_WRITER_H
#define MONOLITH_WRITER_H

#include "monolith_stub/store.h"

struct waiting_room;
struct writer;

/* Announces news in that room after each commit. NULL: the fault was logged. */
struct writer *writer_new(const char *path, struct waiting_room *room);
void writer_free(struct writer *writer);

/* Waits for its turn. NULL: the fault was logged, no transaction is open. */
struct store *writer_begin(struct writer *writer);

/* Both end the turn. Commit: false, and nothing is stored, if it failed; the fault was logged. */
bool writer_commit(struct writer *writer);
void writer_rollback(struct writer *writer);

#endif
