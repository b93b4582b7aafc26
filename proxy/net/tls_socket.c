#include "proxy/net/tls_socket.h"

#include <errno.h>
#include <openssl/bio.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

static BIO_METHOD *method; /* for the life of the process */
static pthread_once_t method_once = PTHREAD_ONCE_INIT;

static bool may_retry(void)
{
    return errno == EAGAIN || errno == EINTR;
}

static int read_bytes(BIO *bio, char *room, int size)
{
    struct tls_socket *socket = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    if (socket->drained) {
        BIO_set_retry_read(bio);
        return -1;
    }
    ssize_t result = read(socket->fd, room, (size_t)size);
    socket->drained = result > 0 && result < size;
    if (result == 0)
        BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
    if (result < 0 && may_retry())
        BIO_set_retry_read(bio);
    return (int)result;
}

/* A ticket is not waited for: it leaves with the answer, or by itself after a moment. */
static bool is_last(const struct tls_socket *socket)
{
    return !socket->more_follows && SSL_get_state(socket->tls) != TLS_ST_SW_SESSION_TICKET;
}

static int write_bytes(BIO *bio, const char *data, int length)
{
    const struct tls_socket *socket = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    int flags = MSG_NOSIGNAL | (is_last(socket) ? 0 : MSG_MORE);
    ssize_t result = send(socket->fd, data, (size_t)length, flags);
    if (result < 0 && may_retry())
        BIO_set_retry_write(bio);
    return (int)result;
}

static long control(BIO *bio, int command, long number, void *pointer)
{
    (void)number, (void)pointer;
    switch (command) {
    case BIO_CTRL_FLUSH:
        return 1; /* nothing is held back here */
    case BIO_CTRL_EOF:
        return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0;
    default:
        return 0;
    }
}

static void make_method(void)
{
    BIO_METHOD *made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket");
    if (made == NULL)
        return;
    BIO_meth_set_read(made, read_bytes);
    BIO_meth_set_write(made, write_bytes);
    BIO_meth_set_ctrl(made, control);
    method = made;
}

bool tls_socket_attach(struct tls_socket *socket, struct ssl_st *tls)
{
    pthread_once(&method_once, make_method);
    BIO *bio = method != NULL ? BIO_new(method) : NULL;
    if (bio == NULL)
        return false;
    socket->tls = tls;
    BIO_set_data(bio, socket);
    BIO_set_init(bio, 1);
    SSL_set_bio(tls, bio, bio);
    return true;
}
