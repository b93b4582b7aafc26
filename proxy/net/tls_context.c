#include "proxy/net/tls_context.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "proxy/core/array.h"
#include "proxy/net/tls_key_schedule.h"

/* One SSL_CTX a certificate; contexts[0] is the default that connections start with. */
struct tls_context {
    _Atomic uint32_t references;
    SSL_CTX **contexts;
    size_t count;
    struct tls_tickets *tickets; /* NULL: none */
    EVP_CIPHER *ticket_cipher;   /* looked up once, not for every ticket */
};

/* RFC 9113 section 9.2.2 forbids the rest for HTTP/2 over TLS 1.2. */
static const char ciphers_tls12[] =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";

/* In the same order (RFC 8446 section 9.1 has all speak the first). */
static const char ciphers_tls13[] =
    "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";

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

/* The first certificate that covers the name; NULL: none does. */
static SSL_CTX *find_certificate(const struct tls_context *context, const char *name,
                                 unsigned flags)
{
    for (size_t i = 0; i < context->count; i++) {
        X509 *certificate = SSL_CTX_get0_certificate(context->contexts[i]);
        if (X509_check_host(certificate, name, 0, flags, NULL) == 1)
            return context->contexts[i];
    }
    return NULL;
}

/*
 * SNI (RFC 6066 section 3) picks the certificate that has the very name, else one with a wildcard
 * for it. With any other name the default stays: RFC 6066 would allow an alert instead, but what
 * asks without a name of ours may still know us by the default's.
 */
static int on_server_name(SSL *ssl, int *alert, void *argument)
{
    (void)alert;
    const struct tls_context *context = argument;
    const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    if (name == NULL || context->count == 1)
        return SSL_TLSEXT_ERR_OK;
    SSL_CTX *chosen = find_certificate(context, name, X509_CHECK_FLAG_NO_WILDCARDS);
    if (chosen == NULL)
        chosen = find_certificate(context, name, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    if (chosen != NULL && chosen != context->contexts[0])
        SSL_set_SSL_CTX(ssl, chosen);
    return SSL_TLSEXT_ERR_OK;
}

/* --- tickets ------------------------------------------------------------------------------- */

enum { NO_TICKET = 0, TICKET_FAILED = -1, TICKET_SEALED = 1, TICKET_OPENED_SEND_NEXT = 2 };

static bool set_mac_key(EVP_MAC_CTX *mac, struct tls_ticket_key *key)
{
    static char digest[] = "SHA256";
    const OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key->mac, sizeof(key->mac)),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end(),
    };
    return EVP_MAC_CTX_set_params(mac, parameters) == 1;
}

/* Who comes with a ticket gets another: one that is shown twice would show who it is (RFC 8446
 * appendix C.4). */
static int on_ticket(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
                     EVP_MAC_CTX *mac, int seals)
{
    const struct tls_context *context = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
    struct tls_ticket_key key;
    uint64_t now_s = (uint64_t)time(NULL);
    bool good;
    if (seals) {
        if (!tls_tickets_current(context->tickets, now_s, &key))
            return NO_TICKET;
        memcpy(name, key.name, sizeof(key.name));
        good = RAND_bytes(iv, EVP_CIPHER_get_iv_length(context->ticket_cipher)) == 1 &&
               EVP_EncryptInit_ex(cipher, context->ticket_cipher, NULL, key.cipher, iv) == 1;
    } else {
        if (!tls_tickets_find(context->tickets, name, now_s, &key))
            return NO_TICKET;
        good = EVP_DecryptInit_ex(cipher, context->ticket_cipher, NULL, key.cipher, iv) == 1;
    }
    good = good && set_mac_key(mac, &key);
    OPENSSL_cleanse(&key, sizeof(key));
    if (!good)
        return TICKET_FAILED;
    return seals ? TICKET_SEALED : TICKET_OPENED_SEND_NEXT;
}

void tls_context_use_tickets(struct tls_context *context, struct tls_tickets *tickets)
{
    if (context->ticket_cipher == NULL)
        context->ticket_cipher = EVP_CIPHER_fetch(NULL, "AES-256-CBC", NULL);
    if (context->ticket_cipher == NULL)
        return;
    tls_tickets_unref(context->tickets);
    context->tickets = tls_tickets_ref(tickets);
    for (size_t i = 0; i < context->count; i++) {
        SSL_CTX *ctx = context->contexts[i];
        SSL_CTX_set_app_data(ctx, context);
        SSL_CTX_clear_options(ctx, SSL_OP_NO_TICKET);
        SSL_CTX_set_num_tickets(ctx, 1);
        SSL_CTX_set_timeout(ctx, TLS_TICKET_TURN_S);
        SSL_CTX_set_tlsext_ticket_key_evp_cb(ctx, on_ticket);
    }
}

/* --- making -------------------------------------------------------------------------------- */

static void set_rules(SSL_CTX *ctx, const struct tls_context_options *options)
{
    SSL_CTX_set_min_proto_version(ctx, options->tls13_only ? TLS1_3_VERSION : TLS1_2_VERSION);
    SSL_CTX_set_cipher_list(ctx, ciphers_tls12);
    SSL_CTX_set_ciphersuites(ctx, ciphers_tls13);
    SSL_CTX_set_options(ctx, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET |
                                 SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
    SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                              SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_read_ahead(ctx, 1);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF); /* tickets only */
    SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"strangler", 9);
    SSL_CTX_set_num_tickets(ctx, 0);
    SSL_CTX_set_max_early_data(ctx, 0); /* it could be replayed (RFC 8446 section 8) */
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
        SSL_CTX *ctx = SSL_CTX_new_ex(NULL, tls_key_schedule_query(), TLS_server_method());
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
    EVP_CIPHER_free(context->ticket_cipher);
    tls_tickets_unref(context->tickets);
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
