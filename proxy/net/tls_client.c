#include "proxy/net/tls_client.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "proxy/core/array.h"
#include "proxy/net/tls_key_schedule.h"

enum { FILE_BYTES_MAX = 8 * 1024 * 1024, HOST_BYTES = 256 };

struct tls_client {
    _Atomic uint32_t references;
    SSL_CTX *ctx;
    char server_name[HOST_BYTES]; /* empty: the endpoint's own */
    bool verify;
    unsigned char fingerprint[EVP_MAX_MD_SIZE];
    unsigned fingerprint_bytes;
};

/* --- fingerprint: what makes two of them equal ----------------------------------------------- */

static void add_text(EVP_MD_CTX *digest, struct strview text)
{
    uint64_t length = text.length;
    EVP_DigestUpdate(digest, &length, sizeof(length));
    EVP_DigestUpdate(digest, text.data, text.length);
}

static bool add_file(EVP_MD_CTX *digest, const char *path, struct fault *fault)
{
    add_text(digest, path != NULL ? STRVIEW("file") : STRVIEW_NONE);
    if (path == NULL)
        return true;
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return fault_set(fault, "`%s` cannot be opened: %s", path, strerror(errno));
    char part[4096];
    size_t sum = 0;
    for (size_t got; sum <= FILE_BYTES_MAX && (got = fread(part, 1, sizeof(part), file)) > 0;) {
        EVP_DigestUpdate(digest, part, got);
        sum += got;
    }
    bool good = ferror(file) == 0 && sum <= FILE_BYTES_MAX;
    fclose(file);
    return good ? true : fault_set(fault, "`%s` cannot be read", path);
}

static bool take_fingerprint(struct tls_client *client, const struct tls_client_options *options,
                             struct fault *fault, const char **ret_bad_path)
{
    const char *const paths[] = {options->ca_path, options->certificate_path, options->key_path};
    EVP_MD_CTX *digest = EVP_MD_CTX_new();
    bool good = digest != NULL && EVP_DigestInit_ex(digest, EVP_sha256(), NULL) == 1;
    if (!good)
        fault_set(fault, "cannot set up TLS");
    for (size_t i = 0; good && i < sizeof(paths) / sizeof(paths[0]); i++) {
        *ret_bad_path = paths[i];
        good = add_file(digest, paths[i], fault);
    }
    if (good) {
        add_text(digest, options->server_name);
        add_text(digest, options->protocol);
        add_text(digest, options->verify ? STRVIEW("verify") : STRVIEW_NONE);
        EVP_DigestFinal_ex(digest, client->fingerprint, &client->fingerprint_bytes);
    }
    EVP_MD_CTX_free(digest);
    return good;
}

bool tls_client_equal(const struct tls_client *left, const struct tls_client *right)
{
    if (left == right)
        return true;
    return left != NULL && right != NULL && left->fingerprint_bytes == right->fingerprint_bytes &&
           memcmp(left->fingerprint, right->fingerprint, left->fingerprint_bytes) == 0;
}

/* --- making ---------------------------------------------------------------------------------- */

/* Keeps the newest session of an endpoint; runs in the thread of its connection. */
static int on_new_session(SSL *ssl, SSL_SESSION *session)
{
    struct tls_resumption *resumption = SSL_get_app_data(ssl);
    SSL_SESSION_free(resumption->session);
    resumption->session = session;
    return 1; /* the reference is ours now */
}

static void set_rules(SSL_CTX *ctx, const struct tls_client_options *options)
{
    SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
    SSL_CTX_set_options(ctx, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                              SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_read_ahead(ctx, 1);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(ctx, on_new_session);
    SSL_CTX_set_verify(ctx, options->verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, NULL);
}

static bool set_protocol(SSL_CTX *ctx, struct strview protocol)
{
    unsigned char list[32];
    if (protocol.length >= sizeof(list))
        return false;
    list[0] = (unsigned char)protocol.length;
    memcpy(list + 1, protocol.data, protocol.length);
    return SSL_CTX_set_alpn_protos(ctx, list, (unsigned)protocol.length + 1) == 0;
}

static bool openssl_fault(struct fault *fault, const char *what, const char *path)
{
    unsigned long code = ERR_get_error();
    const char *reason =
        ERR_SYSTEM_ERROR(code) ? strerror(ERR_GET_REASON(code)) : ERR_reason_error_string(code);
    ERR_clear_error();
    return fault_set(fault, "%s `%s`: %s", what, path, reason != NULL ? reason : "unknown error");
}

/* OpenSSL parses extensions when it first needs them: here, and not in several workers at once. */
static void parse_extensions(SSL_CTX *ctx)
{
    STACK_OF(X509_OBJECT) *objects = X509_STORE_get0_objects(SSL_CTX_get_cert_store(ctx));
    for (int i = 0; i < sk_X509_OBJECT_num(objects); i++) {
        X509 *certificate = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(objects, i));
        if (certificate != NULL)
            X509_check_purpose(certificate, -1, 0);
    }
}

static bool load_authorities(SSL_CTX *ctx, const char *path, struct fault *fault)
{
    int loaded =
        path != NULL ? SSL_CTX_load_verify_file(ctx, path) : SSL_CTX_set_default_verify_paths(ctx);
    if (loaded != 1)
        return openssl_fault(fault, "cannot use the authorities of",
                             path != NULL ? path : "the system");
    parse_extensions(ctx);
    return true;
}

static bool load_certificate(SSL_CTX *ctx, const struct tls_client_options *options,
                             struct fault *fault, const char **ret_bad_path)
{
    *ret_bad_path = options->certificate_path;
    if (SSL_CTX_use_certificate_chain_file(ctx, options->certificate_path) != 1)
        return openssl_fault(fault, "cannot use certificate", options->certificate_path);
    *ret_bad_path = options->key_path;
    if (SSL_CTX_use_PrivateKey_file(ctx, options->key_path, SSL_FILETYPE_PEM) != 1)
        return openssl_fault(fault, "cannot use key", options->key_path);
    if (SSL_CTX_check_private_key(ctx) != 1)
        return openssl_fault(fault, "key does not belong to certificate",
                             options->certificate_path);
    return true;
}

static bool fill(struct tls_client *client, const struct tls_client_options *options,
                 struct fault *fault, const char **ret_bad_path)
{
    *ret_bad_path = NULL;
    client->ctx = SSL_CTX_new_ex(NULL, tls_key_schedule_query(), TLS_client_method());
    if (client->ctx == NULL || options->server_name.length >= HOST_BYTES ||
        !set_protocol(client->ctx, options->protocol))
        return fault_set(fault, "cannot set up TLS");
    if (options->server_name.length > 0)
        memcpy(client->server_name, options->server_name.data, options->server_name.length);
    client->verify = options->verify;
    set_rules(client->ctx, options);
    if (!take_fingerprint(client, options, fault, ret_bad_path))
        return false;
    *ret_bad_path = options->ca_path;
    if (options->verify && !load_authorities(client->ctx, options->ca_path, fault))
        return false;
    return options->certificate_path == NULL ||
           load_certificate(client->ctx, options, fault, ret_bad_path);
}

struct tls_client *tls_client_new(const struct tls_client_options *options, struct fault *fault,
                                  const char **ret_bad_path)
{
    struct tls_client *client = memory_zalloc(sizeof(*client));
    client->references = 1;
    ERR_clear_error();
    if (fill(client, options, fault, ret_bad_path))
        return client;
    tls_client_unref(client);
    return NULL;
}

struct tls_client *tls_client_ref(struct tls_client *client)
{
    atomic_fetch_add_explicit(&client->references, 1, memory_order_relaxed);
    return client;
}

void tls_client_unref(struct tls_client *client)
{
    if (client == NULL ||
        atomic_fetch_sub_explicit(&client->references, 1, memory_order_acq_rel) > 1)
        return;
    SSL_CTX_free(client->ctx);
    free(client);
}

/* --- connections ----------------------------------------------------------------------------- */

void tls_resumption_done(struct tls_resumption *resumption)
{
    SSL_SESSION_free(resumption->session);
    tls_client_unref(resumption->client);
    *resumption = (struct tls_resumption){NULL, NULL};
}

/* A session does not outlive the rules that it was made under: it is not verified again. */
static void renew(struct tls_resumption *resumption, struct tls_client *client)
{
    if (!tls_client_equal(resumption->client, client))
        tls_resumption_done(resumption);
    if (resumption->client == NULL)
        resumption->client = tls_client_ref(client);
}

/* The name that the certificate has to be for, and that SNI tells (RFC 6066 section 3: no
 * addresses). */
static bool set_name(SSL *ssl, const char *name)
{
    struct ip_address ip;
    if (ip_parse(strview_of(name), &ip))
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name) == 1;
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return SSL_set1_host(ssl, name) == 1 && SSL_set_tlsext_host_name(ssl, name) == 1;
}

static bool name_endpoint(SSL *ssl, const struct tls_client *client, struct strview host,
                          const struct address *address)
{
    char text[HOST_BYTES];
    if (client->server_name[0] != '\0')
        return set_name(ssl, client->server_name);
    if (host.length >= sizeof(text))
        return false;
    if (host.length > 0) {
        memcpy(text, host.data, host.length);
        text[host.length] = '\0';
        return set_name(ssl, text);
    }
    struct ip_address ip = address_ip(address);
    ip_format(&ip, text);
    return set_name(ssl, text);
}

struct ssl_st *tls_client_new_connection(struct tls_client *client, struct strview host,
                                         const struct address *address,
                                         struct tls_resumption *resumption)
{
    SSL *ssl = SSL_new(client->ctx);
    if (ssl == NULL)
        return NULL;
    renew(resumption, client);
    if (!name_endpoint(ssl, client, host, address)) {
        SSL_free(ssl);
        return NULL;
    }
    SSL_set_app_data(ssl, resumption);
    if (resumption->session != NULL)
        SSL_set_session(ssl, resumption->session);
    SSL_set_connect_state(ssl);
    return ssl;
}

void tls_client_free_connection(struct ssl_st *ssl)
{
    SSL_free(ssl);
}
