/*
 * The certificates and rules of one TLS listener. Made by control, immutable and reference-counted
 * after that; any thread.
 */
#ifndef NET_TLS_CONTEXT_H
#define NET_TLS_CONTEXT_H

#include "proxy/core/fault.h"
#include "proxy/core/strview.h"
#include "proxy/net/tls_tickets.h"

struct ssl_st;
struct tls_context;

struct tls_certificate {
    const char *certificate_path; /* PEM, leaf first */
    const char *key_path;         /* PEM */
};

struct tls_context_options {
    const struct tls_certificate *certificates; /* the first is the default, SNI picks the others */
    size_t certificate_count;                   /* at least 1 */
    bool tls13_only;
};

/* NULL with *fault and *ret_bad_certificate (index) set when a file cannot be used. */
struct tls_context *tls_context_new(const struct tls_context_options *options, struct fault *fault,
                                    size_t *ret_bad_certificate);
struct tls_context *tls_context_ref(struct tls_context *context);
void tls_context_unref(struct tls_context *context); /* NULL is allowed */

/*
 * From now on clients get tickets sealed with these keys, and those that come with one need no
 * whole handshake. Without, or when memory is out, there are no tickets. Before any connection;
 * references `tickets`.
 */
void tls_context_use_tickets(struct tls_context *context, struct tls_tickets *tickets);

/* A server-side connection object; the caller frees it with SSL_free. NULL when out of memory. */
struct ssl_st *tls_context_new_connection(struct tls_context *context);

#endif
