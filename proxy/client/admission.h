/*
 * Who may connect, asked of each connection when it is accepted, and what is remembered of those
 * who were closed for what they did. The worker's thread.
 */
#ifndef CLIENT_ADMISSION_H
#define CLIENT_ADMISSION_H

#include "proxy/client/client_connection.h"

/*
 * True: it may come; when it is counted for its address, address_counts_remove is owed. False, and
 * the fault is counted: it is to be closed.
 */
bool admission_begin(struct client_environment *environment, int fd, const struct address *client,
                     const struct client_terms *terms, bool *ret_counted);

/* A connection from there is being closed for more than one is allowed. */
void admission_note_excess(struct client_environment *environment, const struct ip_address *ip);

#endif
