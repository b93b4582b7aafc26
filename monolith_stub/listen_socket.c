#include "monolith_stub/listen_socket.h"

#include <errno.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    LISTEN_BACKLOG = 1024,
    HOST_TEXT = 100,
    PORT_TEXT = 8,
    PORT_DIGITS = 5,
    PORT_LARGEST = 65535
};

/* 0 stands for a free one. */
static bool is_port(const char *text)
{
    size_t digits = strspn(text, "0123456789");
    return digits > 0 && digits <= PORT_DIGITS && text[digits] == 0 &&
           strtoul(text, NULL, 10) <= PORT_LARGEST;
}

/* Splits at the last colon; an IPv6 address stands in brackets. */
static bool split_address(const char *address, char *ret_host, char *ret_port)
{
    const char *colon = strrchr(address, ':');
    if (colon == NULL)
        return false;
    size_t length = (size_t)(colon - address);
    if (length >= 2 && address[0] == '[' && colon[-1] == ']') {
        address++;
        length -= 2;
    } else if (memchr(address, ':', length) != NULL) {
        return false;
    }
    if (length == 0 || length >= HOST_TEXT || !is_port(colon + 1))
        return false;
    snprintf(ret_host, HOST_TEXT, "%.*s", (int)length, address);
    snprintf(ret_port, PORT_TEXT, "%s", colon + 1);
    return true;
}

static bool socket_address(int socket_fd, char *ret_address)
{
    struct sockaddr_storage bound;
    socklen_t length = sizeof(bound);
    char host[HOST_TEXT];
    char port[PORT_TEXT];
    if (getsockname(socket_fd, (struct sockaddr *)&bound, &length) != 0 ||
        getnameinfo((struct sockaddr *)&bound, length, host, sizeof(host), port, sizeof(port),
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0)
        return false;
    bool brackets = bound.ss_family == AF_INET6;
    snprintf(ret_address, LISTEN_ADDRESS_TEXT, "%s%s%s:%s", brackets ? "[" : "", host,
             brackets ? "]" : "", port);
    return true;
}

static int open_bound(const struct addrinfo *found)
{
    int kind = found->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC;
    int socket_fd = socket(found->ai_family, kind, found->ai_protocol);
    if (socket_fd < 0)
        return -1;
    int yes = 1;
    if (setsockopt(socket_fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) == 0 &&
        bind(socket_fd, found->ai_addr, found->ai_addrlen) == 0 &&
        listen(socket_fd, LISTEN_BACKLOG) == 0)
        return socket_fd;
    int fault = errno;
    close(socket_fd);
    errno = fault;
    return -1;
}

enum listen_outcome listen_socket_open(const char *address, int *ret_socket, char *ret_address)
{
    char host[HOST_TEXT];
    char port[PORT_TEXT];
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    if (!split_address(address, host, port) || getaddrinfo(host, port, &hints, &found) != 0)
        return LISTEN_BAD_ADDRESS;
    int socket_fd = open_bound(found);
    freeaddrinfo(found);
    if (socket_fd < 0)
        return LISTEN_FAILED;
    if (!socket_address(socket_fd, ret_address)) {
        close(socket_fd);
        return LISTEN_FAILED;
    }
    *ret_socket = socket_fd;
    return LISTEN_OK;
}
