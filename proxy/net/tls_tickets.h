/*
 * The keys of session tickets (RFC 5077, RFC 8446 section 4.6.1): a client that comes again with a
 * ticket saves both ends the costly half of a handshake. Made here, kept in memory only, changed
 * every 12 hours; the key before is honoured for as long again, so a ticket works for 12 hours at
 * least. Owned by control, shared by all listeners, workers and generations of the configuration;
 * any thread. A handshake takes the lock once; no request does.
 */
#ifndef NET_TLS_TICKETS_H
#define NET_TLS_TICKETS_H

#include <stdbool.h>
#include <stdint.h>

struct tls_tickets;

enum {
    TLS_TICKET_NAME_BYTES = 16,
    TLS_TICKET_KEY_BYTES = 32,
    TLS_TICKET_TURN_S =
        12 * 60 * 60, /* how long a key is the current one, and then the one before */
};

struct tls_ticket_key {
    unsigned char name[TLS_TICKET_NAME_BYTES]; /* stands in the ticket in clear */
    unsigned char cipher[TLS_TICKET_KEY_BYTES];
    unsigned char mac[TLS_TICKET_KEY_BYTES];
};

struct tls_held_key {
    struct tls_ticket_key key;
    uint64_t ends_s; /* of its turn as the current one; 0: there is none */
};

struct tls_ticket_keys {
    struct tls_held_key current;
    struct tls_held_key before;
};

struct tls_tickets *tls_tickets_new(void);
struct tls_tickets *tls_tickets_ref(struct tls_tickets *tickets);
void tls_tickets_unref(struct tls_tickets *tickets); /* NULL is allowed; the keys are wiped */

/* What to seal a ticket with. False: there is no randomness for a key, so no ticket. */
bool tls_tickets_current(struct tls_tickets *tickets, uint64_t now_s,
                         struct tls_ticket_key *ret_key);

/* What a ticket with this name is opened with. False: not ours, or too old. */
bool tls_tickets_find(struct tls_tickets *tickets, const unsigned char *name, uint64_t now_s,
                      struct tls_ticket_key *ret_key);

/* For the process that takes our place. Who has a copy wipes it. */
void tls_tickets_copy(struct tls_tickets *tickets, struct tls_ticket_keys *ret_keys);
void tls_tickets_set(struct tls_tickets *tickets, const struct tls_ticket_keys *keys);

#endif
