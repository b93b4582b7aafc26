#include "proxy/net/tls_context.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "proxy/core/array.h"

/* One SSL_CTX a certificate; contexts[0] is the default that connections start with. */
struct tls_context {
    _Atomic uint32_t references;
    SSL_CTX **contexts;
    size_t count;
};

/* RFC 9113 section 9.2.2 forbids the rest for HTTP/2 over TLS 1.2. */
static const char ciphers_tls12[] =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";

/* What we speak, in our order (RFC 7301 section 3.1). */
static const unsigned char alpn_protocols[] = "\x02h2\x08http/1.1\x08http/1.0";

/* RFC 7301 section 3.2: without a common protocol the handshake ends with an alert. */
static int on_alpn(SSL *ssl, const unsigned char **ret_protocol, unsigned char *ret_length,
                   const unsigned char *offered, unsigned int offered_length, void *context)
{
    (void)ssl, (void)context;
    unsigned char *chosen = NULL;
    int result = SSL_select_next_proto(&chosen, ret_length, alpn_protocols,
                                       sizeof(alpn_protocols) - 1, offered, offered_length);
    if (result != OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *ret_protocol = chosen;
    return SSL_TLSEXT_ERR_OK;
}

/* SNI picks the first certificate whose names cover the host; else the default stays. */
static int on_server_name(SSL *ssl, int *alert, void *argument)
{
    (void)alert;
    struct tls_context *context = argument;
    const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    if (name == NULL)
        return SSL_TLSEXT_ERR_OK;
    for (size_t i = 0; i < context->count; i++) {
        X509 *certificate = SSL_CTX_get0_certificate(context->contexts[i]);
        if (X509_check_host(certificate, name, 0, 0, NULL) == 1) {
            if (i > 0)
                SSL_set_SSL_CTX(ssl, context->contexts[i]);
            return SSL_TLSEXT_ERR_OK;
        }
    }
    return SSL_TLSEXT_ERR_OK;
}

static void set_rules(SSL_CTX *ctx, const struct tls_context_options *options)
{
    SSL_CTX_set_min_proto_version(ctx, options->tls13_only ? TLS1_3_VERSION : TLS1_2_VERSION);
    SSL_CTX_set_cipher_list(ctx, ciphers_tls12);
    SSL_CTX_set_options(ctx, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                                 SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
    SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                              SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_read_ahead(ctx, 1);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF); /* tickets only */
    SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"strangler", 9);
    SSL_CTX_set_num_tickets(ctx, 1);
    SSL_CTX_set_alpn_select_cb(ctx, on_alpn, NULL);
}

static bool openssl_fault(struct fault *fault, const char *what, const char *path)
{
    unsigned long code = ERR_get_error();
    const char *reason =
        ERR_SYSTEM_ERROR(code) ? strerror(ERR_GET_REASON(code)) : ERR_reason_error_string(code);
    ERR_clear_error();
    return fault_set(fault, "%s `%s`: %s", what, path, reason != NULL ? reason : "unknown error");
}

static bool load_certificate(SSL_CTX *ctx, const struct tls_certificate *files, struct fault *fault)
{
    ERR_clear_error();
    if (SSL_CTX_use_certificate_chain_file(ctx, files->certificate_path) != 1)
        return openssl_fault(fault, "cannot use certificate", files->certificate_path);
    if (SSL_CTX_use_PrivateKey_file(ctx, files->key_path, SSL_FILETYPE_PEM) != 1)
        return openssl_fault(fault, "cannot use key", files->key_path);
    if (SSL_CTX_check_private_key(ctx) != 1)
        return openssl_fault(fault, "key does not belong to certificate", files->certificate_path);
    return true;
}

struct tls_context *tls_context_new(const struct tls_context_options *options, struct fault *fault,
                                    size_t *ret_bad_certificate)
{
    struct tls_context *context = memory_zalloc(sizeof(*context));
    context->references = 1;
    context->contexts = memory_zalloc(options->certificate_count * sizeof(*context->contexts));
    for (size_t i = 0; i < options->certificate_count; i++) {
        SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
        if (ctx == NULL) {
            openssl_fault(fault, "cannot set up TLS for",
                          options->certificates[i].certificate_path);
            *ret_bad_certificate = i;
            tls_context_unref(context);
            return NULL;
        }
        context->contexts[context->count++] = ctx;
        set_rules(ctx, options);
        if (!load_certificate(ctx, &options->certificates[i], fault)) {
            *ret_bad_certificate = i;
            tls_context_unref(context);
            return NULL;
        }
    }
    SSL_CTX_set_tlsext_servername_callback(context->contexts[0], on_server_name);
    SSL_CTX_set_tlsext_servername_arg(context->contexts[0], context);
    return context;
}

struct tls_context *tls_context_ref(struct tls_context *context)
{
    atomic_fetch_add_explicit(&context->references, 1, memory_order_relaxed);
    return context;
}

void tls_context_unref(struct tls_context *context)
{
    if (context == NULL)
        return;
    if (atomic_fetch_sub_explicit(&context->references, 1, memory_order_acq_rel) > 1)
        return;
    for (size_t i = 0; i < context->count; i++)
        SSL_CTX_free(context->contexts[i]);
    free(context->contexts);
    free(context);
}

struct ssl_st *tls_context_new_connection(struct tls_context *context)
{
    SSL *ssl = SSL_new(context->contexts[0]);
    if (ssl != NULL)
        SSL_set_accept_state(ssl);
    return ssl;
}
