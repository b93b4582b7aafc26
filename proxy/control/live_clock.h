/*
 * What ends by the clock on the wall: changes that were not confirmed go back, freezes are over.
 * And what could not be written into the journal is tried again. Control thread.
 */
#ifndef CONTROL_LIVE_CLOCK_H
#define CONTROL_LIVE_CLOCK_H

#include "proxy/net/loop.h"

struct control;

void live_clock_init(struct control *control);
void live_clock_stop(struct control *control);

/* Looks when to look next; after whatever may have changed that. */
void live_clock_set(struct control *control);

/*
 * Carries out what is due. Before anything was published only the state changes: write owners go
 * back with the flips that follow the first publication.
 */
void live_clock_run(struct control *control);

#endif
