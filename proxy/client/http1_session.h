/* HTTP/1.1 and 1.0 with a client: one request after the other, answered in their order (RFC 9112).
 */
#ifndef CLIENT_HTTP1_SESSION_H
#define CLIENT_HTTP1_SESSION_H

#include "proxy/client/client_connection.h"

struct http1_session;

extern const struct client_session_methods http1_session_methods;

/* Owned by the connection, freed through the methods. */
struct http1_session *http1_session_new(struct client_connection *connection);

#endif
