#include "extracted/service_kit/listen_address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 1024, NAME_LENGTH = 104, PORT_DIGITS = 5, PORT_LARGEST = 65535 };

/* 0 stands for a free one. */
static bool is_port(const char *text)
{
    size_t digits = strspn(text, "0123456789");
    return digits >= 1 && digits <= PORT_DIGITS && text[digits] == 0 &&
           strtoul(text, NULL, 10) <= PORT_LARGEST;
}

/* Cuts "name:port" in place; brackets around an IPv6 address go away. */
static bool cut_address(char *address, const char **ret_name, const char **ret_port)
{
    char *colon = strrchr(address, ':');
    if (colon == NULL || colon == address)
        return false;
    *colon = 0;
    if (!is_port(colon + 1))
        return false;
    bool brackets = address[0] == '[' && colon[-1] == ']';
    if (brackets) {
        colon[-1] = 0;
        address++;
    }
    *ret_name = address;
    *ret_port = colon + 1;
    return *address != 0 && (brackets || strchr(address, ':') == NULL);
}

static int bind_first(const struct addrinfo *found)
{
    int kind = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
    int bound = socket(found->ai_family, kind, 0);
    if (bound < 0)
        return -1;
    int on = 1;
    if (setsockopt(bound, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
        bind(bound, found->ai_addr, found->ai_addrlen) == 0)
        return bound;
    int fault = errno;
    close(bound);
    errno = fault;
    return -1;
}

enum listen_address_fault listen_address_bind(const char *address, int *ret_socket)
{
    char text[LISTEN_ADDRESS_LENGTH];
    const char *name;
    const char *port;
    struct addrinfo *found = NULL;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    int length = snprintf(text, sizeof(text), "%s", address);
    if (length < 0 || length >= NAME_LENGTH || !cut_address(text, &name, &port) ||
        getaddrinfo(name, port, &hints, &found) != 0)
        return LISTEN_ADDRESS_MALFORMED;
    int bound = bind_first(found);
    freeaddrinfo(found);
    if (bound < 0)
        return LISTEN_ADDRESS_REFUSED;
    *ret_socket = bound;
    return LISTEN_ADDRESS_FINE;
}

enum listen_address_fault listen_address_open(int bound_socket, char *ret_text)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } bound;
    socklen_t length = sizeof(bound);
    char name[INET6_ADDRSTRLEN];
    if (listen(bound_socket, BACKLOG) != 0 || getsockname(bound_socket, &bound.any, &length) != 0)
        return LISTEN_ADDRESS_REFUSED;
    if (bound.any.sa_family == AF_INET6) {
        inet_ntop(AF_INET6, &bound.v6.sin6_addr, name, sizeof(name));
        snprintf(ret_text, LISTEN_ADDRESS_LENGTH, "[%s]:%u", name, ntohs(bound.v6.sin6_port));
    } else {
        inet_ntop(AF_INET, &bound.v4.sin_addr, name, sizeof(name));
        snprintf(ret_text, LISTEN_ADDRESS_LENGTH, "%s:%u", name, ntohs(bound.v4.sin_port));
    }
    return LISTEN_ADDRESS_FINE;
}
