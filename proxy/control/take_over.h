/*
 * The new process's side of a hand-over (see hand_over.h for the whole): says how far it has come,
 * and knows whether the process before it still finishes its requests. Control thread.
 */
#ifndef CONTROL_TAKE_OVER_H
#define CONTROL_TAKE_OVER_H

#include "proxy/core/fault.h"
#include "proxy/core/strview.h"
#include "proxy/net/loop.h"
#include "proxy/net/tls_tickets.h"

/* Zeroed: there was no process before. */
struct take_over {
    bool is_on; /* the process before is there, at least to finish */
    int fd;
    ev_io ended;
};

/* Takes the descriptor. */
void take_over_init(struct take_over *take_over, int fd);

/* What the other process has sealed for its clients opens here, too. One that gives no keys is no
 * fault. */
void take_over_tickets(struct take_over *take_over, struct tls_tickets *tickets);

/*
 * Everything is ready that does not need the journal and the admin address: waits until the other
 * process has let go of both, or is gone. *ret_generation is the one that it had in force, or left
 * alone.
 */
bool take_over_wait(struct take_over *take_over, uint64_t limit_ms, uint64_t *ret_generation,
                    struct fault *fault);

/* We serve: the other process ends what it has. */
void take_over_finish(struct take_over *take_over, struct loop *loop);

void take_over_stop(struct take_over *take_over, struct loop *loop);

#endif
