/* HTTP/2 with a client, on nghttp2: frames become exchanges, answers become frames (RFC 9113). */
#ifndef CLIENT_HTTP2_SESSION_H
#define CLIENT_HTTP2_SESSION_H

#include "proxy/client/client_connection.h"

struct http2_session;

extern const struct client_session_methods http2_session_methods;

/* Owned by the connection, freed through the methods. NULL when memory is out. */
struct http2_session *http2_session_new(struct client_connection *connection);

#endif
