/*
 * The key schedule of TLS 1.3 (RFC 8446 section 7.1), for OpenSSL's TLS to use in place of its own.
 * A handshake needs two dozen secrets, a few hashed blocks each; for every one of them OpenSSL 3
 * looks the hash up by name, and makes and frees a dozen objects. This needs none. OpenSSL knows it
 * as a provider (provider-kdf(7)), which lives as long as the process; any thread.
 */
#ifndef NET_TLS_KEY_SCHEDULE_H
#define NET_TLS_KEY_SCHEDULE_H

/*
 * The property query to make an SSL_CTX with (SSL_CTX_new_ex): it prefers this one. OpenSSL's own
 * is found where this could not be added, or the system allows only what is certified (fips=yes).
 */
const char *tls_key_schedule_query(void);

#endif
