#include "proxy/control/notify.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "proxy/core/log.h"

enum { TEXT_BYTES = 96, PATIENCE_S = 1 };

/* A path, or with '@' a name without a file. */
static socklen_t read_address(const char *name, struct sockaddr_un *ret_address)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t length = strlen(name);
    if ((name[0] != '/' && name[0] != '@') || length >= sizeof(address.sun_path))
        return 0;
    memcpy(address.sun_path, name, length);
    if (name[0] == '@')
        address.sun_path[0] = '\0';
    *ret_address = address;
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
}

static void send_text(const char *text)
{
    const char *name = getenv("NOTIFY_SOCKET");
    if (name == NULL)
        return;
    struct sockaddr_un address;
    socklen_t length = read_address(name, &address);
    int fd = length > 0 ? socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0) : -1;
    const struct timeval patience = {.tv_sec = PATIENCE_S};
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) != 0 ||
        sendto(fd, text, strlen(text), MSG_NOSIGNAL, (struct sockaddr *)&address, length) < 0)
        log_warning("NOTIFY_SOCKET cannot be told: %s",
                    length > 0 ? strerror(errno) : "it is no address");
    if (fd >= 0)
        close(fd);
}

void notify_ready(void)
{
    send_text("READY=1");
}

void notify_reloading(void)
{
    char text[TEXT_BYTES];
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    unsigned long long now_us =
        (unsigned long long)now.tv_sec * 1000000 + (unsigned long long)now.tv_nsec / 1000;
    snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%llu", now_us);
    send_text(text);
}

void notify_stopping(void)
{
    send_text("STOPPING=1");
}

void notify_main_pid(pid_t pid)
{
    char text[TEXT_BYTES];
    snprintf(text, sizeof(text), "READY=1\nMAINPID=%lld", (long long)pid);
    send_text(text);
}
