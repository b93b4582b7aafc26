/*
 * How we speak TLS to the endpoints of one backend: whom we believe, who we say that we are, which
 * protocol we want. Made by control, immutable and reference-counted after that; any thread. What a
 * connection leaves behind to make the next one cheaper is a tls_resumption, of one thread.
 */
#ifndef NET_TLS_CLIENT_H
#define NET_TLS_CLIENT_H

#include "proxy/core/fault.h"
#include "proxy/net/address.h"

struct ssl_st;
struct ssl_session_st;
struct tls_client;

struct tls_client_options {
    const char *ca_path;          /* PEM; NULL: the system's authorities */
    const char *certificate_path; /* PEM, leaf first; NULL: we show none */
    const char *key_path;         /* PEM; goes with the certificate */
    struct strview server_name;   /* empty: the name or the address that is connected to */
    struct strview protocol;      /* for ALPN (RFC 7301): "h2", "http/1.1" */
    bool verify;                  /* chain and name; else anybody may answer */
};

/* NULL with *fault and *ret_bad_path (one of the options' paths, or NULL) set. */
struct tls_client *tls_client_new(const struct tls_client_options *options, struct fault *fault,
                                  const char **ret_bad_path);
struct tls_client *tls_client_ref(struct tls_client *client);
void tls_client_unref(struct tls_client *client); /* NULL is allowed */

/*
 * Made of the same options and the same contents of files (or both NULL): connections and sessions
 * of one may serve the other, also after a reload.
 */
bool tls_client_equal(const struct tls_client *left, const struct tls_client *right);

/* The last session with one endpoint. */
struct tls_resumption {
    struct tls_client *client; /* whose rules the session was made under; NULL: none yet */
    struct ssl_session_st *session;
};

void tls_resumption_done(struct tls_resumption *resumption);

/*
 * A client-side connection object; the caller frees it with SSL_free, before the resumption. `host`
 * is the name of the endpoint; empty: it has none but its address. NULL when out of memory.
 */
struct ssl_st *tls_client_new_connection(struct tls_client *client, struct strview host,
                                         const struct address *address,
                                         struct tls_resumption *resumption);

/* Of one that no byte_stream was given. NULL is fine. */
void tls_client_free_connection(struct ssl_st *ssl);

#endif
