/*
 * Addresses whose connections have ended for more than a connection is allowed (resets, frames that
 * move nothing), so that nobody gets new allowances by coming again: after some such ends in a
 * short time no connection is taken from there for a second, and twice as long each time that it
 * goes on after that. One table for all workers, of a fixed size, in which the oldest is forgotten
 * first; owned by control. IPv6 by /64. Any thread; without pauses no lock is taken for a new
 * connection.
 */
#ifndef CLIENT_ADDRESS_PAUSES_H
#define CLIENT_ADDRESS_PAUSES_H

#include "proxy/net/address.h"

/* So many ends within the window make a pause; behind one address there may be many, and one of
 * them alone may be unlucky once. Who is calm for long enough begins anew. */
enum {
    ADDRESS_PAUSE_ENDS = 3,
    ADDRESS_PAUSE_WINDOW_MS = 10000,
    ADDRESS_PAUSE_FIRST_MS = 1000,
    ADDRESS_PAUSE_CALM_MS = 60000,
    ADDRESS_PAUSES_MAX = 4096,
};

struct address_pauses;

/* `seed` is random, so that nobody can choose addresses that push others out. */
struct address_pauses *address_pauses_new(uint64_t seed);
void address_pauses_free(struct address_pauses *pauses);

/*
 * A connection from there has ended so. Returns for how long nothing is taken from there, when that
 * begins now, at most `longest_ms`; else 0. During a pause no end counts: those are connections
 * from before. Times are of one clock that never goes back.
 */
uint32_t address_pauses_note(struct address_pauses *pauses, const struct ip_address *ip,
                             uint32_t longest_ms, uint64_t now_ms);

/* Is nothing taken from there now? A pause is over after `longest_ms`, whatever it was meant to be.
 */
bool address_pauses_has(struct address_pauses *pauses, const struct ip_address *ip,
                        uint32_t longest_ms, uint64_t now_ms);

/* How many addresses nothing is taken from now. */
uint32_t address_pauses_count(struct address_pauses *pauses, uint32_t longest_ms, uint64_t now_ms);

#endif
