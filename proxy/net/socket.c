#include "proxy/net/socket.h"

#include <errno.h>
#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

static void set_no_delay(int fd, int family)
{
    int on = 1;
    if (family != AF_UNIX)
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

static int close_keeping_errno(int fd)
{
    int saved = errno;
    close(fd);
    errno = saved;
    return -1;
}

/* A socket file survives its process; one that refuses connections is a leftover. */
static void remove_stale_file(const struct address *address)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    struct stat file;
    const char *path = address->socket.local.sun_path;
    if (connect(fd, &address->socket.any, address->length) != 0 && errno == ECONNREFUSED &&
        stat(path, &file) == 0 && S_ISSOCK(file.st_mode))
        unlink(path);
    close(fd);
}

static bool set_listen_options(int fd, int family, bool shared)
{
    int on = 1;
    if (family == AF_UNIX)
        return true;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0)
        return false;
    if (shared && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) != 0)
        return false;
    return family != AF_INET6 || setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) == 0;
}

int socket_listen(const struct address *address, int backlog, bool shared)
{
    int family = address->socket.any.sa_family;
    int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    if (family == AF_UNIX)
        remove_stale_file(address);
    if (!set_listen_options(fd, family, shared) ||
        bind(fd, &address->socket.any, address->length) != 0 || listen(fd, backlog) != 0)
        return close_keeping_errno(fd);
    return fd;
}

int socket_connect(const struct address *address)
{
    int family = address->socket.any.sa_family;
    int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    set_no_delay(fd, family);
    if (connect(fd, &address->socket.any, address->length) != 0 && errno != EINPROGRESS)
        return close_keeping_errno(fd);
    return fd;
}

int socket_accept(int listener, struct address *ret_client)
{
    struct address client = {.length = sizeof(client.socket)};
    int fd = accept4(listener, &client.socket.any, &client.length, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0)
        return -1;
    set_no_delay(fd, client.socket.any.sa_family);
    *ret_client = client;
    return fd;
}

int socket_error(int fd)
{
    int error = 0;
    socklen_t length = sizeof(error);
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) != 0)
        return errno;
    return error;
}

bool socket_has_ended(int fd)
{
    struct pollfd ended = {.fd = fd, .events = POLLRDHUP};
    return poll(&ended, 1, 0) > 0;
}

bool socket_has_output(int fd)
{
    int bytes = 0;
    return ioctl(fd, SIOCOUTQ, &bytes) == 0 && bytes > 0;
}

void socket_reset_on_close(int fd)
{
    const struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
}

bool socket_local_address(int fd, struct address *ret_address)
{
    struct address address = {.length = sizeof(address.socket)};
    if (getsockname(fd, &address.socket.any, &address.length) != 0)
        return false;
    *ret_address = address;
    return true;
}
