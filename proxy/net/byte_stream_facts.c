/* What can be learned of a stream without reading from it. */
#include "proxy/net/byte_stream.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/socket.h>

bool byte_stream_speaks(const struct byte_stream *stream, struct strview protocol)
{
    const unsigned char *chosen = NULL;
    unsigned length = 0;
    SSL_get0_alpn_selected(stream->tls, &chosen, &length);
    return strview_equal(strview_make((const char *)chosen, length), protocol);
}

const char *byte_stream_tls_fault(const struct byte_stream *stream)
{
    long verified = SSL_get_verify_result(stream->tls);
    if (SSL_get_verify_mode(stream->tls) != SSL_VERIFY_NONE && verified != X509_V_OK)
        return X509_verify_cert_error_string(verified);
    const char *reason = ERR_reason_error_string(ERR_peek_error());
    return reason != NULL ? reason : "the connection was closed in the handshake";
}

bool byte_stream_has_input(struct byte_stream *stream)
{
    char byte;
    if (stream->tls != NULL) {
        /* Takes in what TLS says for itself, session tickets for instance. */
        stream->socket.drained = false;
        ERR_clear_error();
        int peeked = SSL_peek(stream->tls, &byte, 1);
        return peeked > 0 || SSL_get_error(stream->tls, peeked) != SSL_ERROR_WANT_READ;
    }
    ssize_t result = recv(stream->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return result >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
}
