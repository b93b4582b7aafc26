/*
 * USR2: a new process of the program's file, with the same words and the same listening sockets,
 * takes over from this one. What the two say to each other, over a socket pair:
 *
 *   old: (binary)        the keys of TLS tickets, before the new one begins
 *   new: prepared        its files are good and its workers run
 *   old: go GENERATION   the journal and the admin address are closed
 *   new: ready           it serves; the old one drains and ends
 *
 * Until "ready" this process serves as before, and when the new one ends or takes too long, takes
 * back what it had closed. The sockets are the same ones, so that no connection that waits to be
 * accepted is lost. The pair stays open until this process ends: so long the new one knows that it
 * is not alone. Owner: control, in its thread.
 */
#ifndef CONTROL_HAND_OVER_H
#define CONTROL_HAND_OVER_H

#include "proxy/control/program.h"

#define HAND_OVER_PREPARED "prepared"
#define HAND_OVER_GO "go"
#define HAND_OVER_READY "ready"

enum { HAND_OVER_WORD_BYTES = 64 };

struct control;

enum hand_over_phase { HAND_OVER_NONE, HAND_OVER_STARTING, HAND_OVER_LET_GO, HAND_OVER_DONE };

/* Zeroed: none was begun. */
struct hand_over {
    struct control *control;
    enum hand_over_phase phase;
    struct program program;
    int fd; /* from the begin on */
    ev_io heard;
    struct deadline again; /* what could not be done at once */
    bool had_journal;
    bool had_admin;
    bool reload_wanted; /* meanwhile, by HUP */
};

/* Begins one, or says why not. */
void hand_over_begin(struct control *control);

/* The outcome is open: what is changed now may be unknown to the new process. */
static inline bool hand_over_is_on(const struct hand_over *hand_over)
{
    return hand_over->phase == HAND_OVER_STARTING || hand_over->phase == HAND_OVER_LET_GO;
}

/* The journal and the admin address are not ours. */
static inline bool hand_over_has_let_go(const struct hand_over *hand_over)
{
    return hand_over->phase == HAND_OVER_LET_GO || hand_over->phase == HAND_OVER_DONE;
}

/* Ends what is under way; no event comes after this. */
void hand_over_stop(struct hand_over *hand_over);

#endif
