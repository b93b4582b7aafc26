/*
 * How many connections each client address has open, IPv6 by /64, for
 * limits.connections_per_address. One table for all workers, owned by control: a short lock for
 * each connection that comes or goes, none for requests. Connections are counted also while nothing
 * limits them, so that a reload that sets a limit knows of them. Any thread.
 */
#ifndef CLIENT_ADDRESS_COUNTS_H
#define CLIENT_ADDRESS_COUNTS_H

#include "proxy/net/address.h"

struct address_counts;

/* `seed` is random, so that nobody can choose addresses that make the table slow. */
struct address_counts *address_counts_new(uint64_t seed);

/* All connections have to be gone. */
void address_counts_free(struct address_counts *counts);

/* Counts one more from there; false, and it is not counted, if there are `limit` already. 0: no
 * limit. */
bool address_counts_add(struct address_counts *counts, const struct ip_address *ip, uint32_t limit);

/* One that was counted is gone. */
void address_counts_remove(struct address_counts *counts, const struct ip_address *ip);

/* How many there are now. */
uint32_t address_counts_get(struct address_counts *counts, const struct ip_address *ip);

#endif
