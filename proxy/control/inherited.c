#include "proxy/control/inherited.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proxy/core/array.h"
#include "proxy/core/log.h"
#include "proxy/net/socket.h"

static bool is_local(const struct address *address)
{
    return address->socket.any.sa_family == AF_UNIX;
}

/* --- the environment ----------------------------------------------------------------------- */

static bool is_listening(int fd)
{
    int type = 0;
    int listens = 0;
    socklen_t length = sizeof(int);
    return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) == 0 && type == SOCK_STREAM &&
           getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &length) == 0 && listens != 0;
}

/* As if we had opened it. */
static bool adopt(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    return flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0 &&
           fcntl(fd, F_SETFD, FD_CLOEXEC) == 0;
}

/* A path may fill its room without an end; ours never do. */
static bool is_terminated(const struct address *address)
{
    const char *path = address->socket.local.sun_path;
    return !is_local(address) || strnlen(path, sizeof(address->socket.local.sun_path)) <
                                     sizeof(address->socket.local.sun_path);
}

static void add(struct inherited_sockets *sockets, int fd)
{
    struct inherited_socket *item = &sockets->items[sockets->count];
    if (is_listening(fd) && adopt(fd) && socket_local_address(fd, &item->address) &&
        is_terminated(&item->address)) {
        item->fd = fd;
        sockets->count++;
        return;
    }
    log_warning("descriptor %d, which was passed to us, is no listening stream socket", fd);
    close(fd);
}

static void add_all(struct inherited_sockets *sockets, uint64_t count, uint64_t from_systemd)
{
    sockets->items = memory_zalloc(count * sizeof(*sockets->items));
    for (uint64_t i = 0; i < count; i++) {
        sockets->items[sockets->count].from_systemd = i >= count - from_systemd;
        add(sockets, INHERITED_FIRST_FD + (int)i);
    }
}

/* "4,1" */
static bool read_counts(const char *text, uint64_t *ret_count, uint64_t *ret_from_systemd)
{
    struct strview view = strview_of(text);
    size_t comma = strview_find(view, ',');
    return comma < view.length &&
           strview_to_u64(strview_make(view.data, comma), INHERITED_MAX, ret_count) &&
           strview_to_u64(strview_from(view, comma + 1), *ret_count, ret_from_systemd);
}

/* What is passed is one of our own programs' business, so that nothing else can be right. */
static bool read_hand_over(struct inherited_sockets *sockets, struct fault *fault)
{
    uint64_t count;
    uint64_t from_systemd;
    if (!read_counts(getenv(HAND_OVER_VARIABLE), &count, &from_systemd))
        return fault_set(fault, HAND_OVER_VARIABLE " does not say how many sockets there are");
    unsetenv(HAND_OVER_VARIABLE);
    int fd = INHERITED_FIRST_FD + (int)count;
    int type = 0;
    socklen_t length = sizeof(type);
    if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) != 0 || type != SOCK_SEQPACKET ||
        !adopt(fd))
        return fault_set(fault, HAND_OVER_VARIABLE " is set, but nobody hands over to us");
    add_all(sockets, count, from_systemd);
    sockets->handed_over = true;
    sockets->previous_fd = fd;
    return true;
}

static bool read_number(const char *name, uint64_t maximum, uint64_t *ret_value)
{
    const char *text = getenv(name);
    return text != NULL && strview_to_u64(strview_of(text), maximum, ret_value);
}

static void read_systemd(struct inherited_sockets *sockets)
{
    uint64_t pid;
    uint64_t count = 0;
    if (read_number("LISTEN_PID", INT32_MAX, &pid) && (pid_t)pid == getpid() &&
        read_number("LISTEN_FDS", INHERITED_MAX, &count))
        add_all(sockets, count, count);
    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDS");
    unsetenv("LISTEN_FDNAMES");
}

bool inherited_sockets_read(struct inherited_sockets *sockets, struct fault *fault)
{
    if (getenv(HAND_OVER_VARIABLE) != NULL)
        return read_hand_over(sockets, fault);
    read_systemd(sockets);
    return true;
}

/* --- by address ---------------------------------------------------------------------------- */

static bool is_same(const struct address *a, const struct address *b)
{
    if (is_local(a) || is_local(b))
        return is_local(a) && is_local(b) &&
               strncmp(a->socket.local.sun_path, b->socket.local.sun_path,
                       sizeof(a->socket.local.sun_path)) == 0;
    struct ip_address ip_a = address_ip(a);
    struct ip_address ip_b = address_ip(b);
    return memcmp(&ip_a, &ip_b, sizeof(ip_a)) == 0 && address_port(a) == address_port(b);
}

static void keep(struct inherited_sockets *sockets, const struct address *address)
{
    sockets->kept =
        memory_realloc(sockets->kept, (sockets->kept_count + 1) * sizeof(*sockets->kept));
    sockets->kept[sockets->kept_count++] = *address;
}

void inherited_sockets_take(struct inherited_sockets *sockets, const struct address *address,
                            struct listener_sockets *taken)
{
    size_t left = 0;
    for (size_t i = 0; i < sockets->count; i++) {
        const struct inherited_socket *item = &sockets->items[i];
        if (!is_same(&item->address, address)) {
            sockets->items[left++] = *item;
            continue;
        }
        listener_sockets_add(taken, item->fd);
        if (item->from_systemd && is_local(address))
            keep(sockets, address);
    }
    sockets->count = left;
}

bool inherited_sockets_keep_file(const struct inherited_sockets *sockets,
                                 const struct address *address)
{
    for (size_t i = 0; i < sockets->kept_count; i++) {
        if (is_same(&sockets->kept[i], address))
            return true;
    }
    return false;
}

static void report(const struct inherited_socket *item)
{
    char text[ADDRESS_TEXT_BYTES];
    const struct address *address = &item->address;
    address_format(address, text);
    if (item->from_systemd) {
        log_warning("%s, which was passed to us, is no listener's address; it is closed", text);
        return;
    }
    log_info("not listening on %s any more", text);
    if (is_local(address))
        unlink(address->socket.local.sun_path);
}

static void close_all(struct inherited_sockets *sockets)
{
    for (size_t i = 0; i < sockets->count; i++)
        close(sockets->items[i].fd);
    free(sockets->items);
    sockets->items = NULL;
    sockets->count = 0;
}

/* Each worker had a socket for the address. */
static bool is_first(const struct inherited_sockets *sockets, size_t index)
{
    for (size_t i = 0; i < index; i++) {
        if (is_same(&sockets->items[i].address, &sockets->items[index].address))
            return false;
    }
    return true;
}

void inherited_sockets_report(struct inherited_sockets *sockets)
{
    for (size_t i = 0; i < sockets->count; i++) {
        if (is_first(sockets, i))
            report(&sockets->items[i]);
    }
    close_all(sockets);
}

void inherited_sockets_done(struct inherited_sockets *sockets)
{
    close_all(sockets);
    free(sockets->kept);
    sockets->kept = NULL;
    sockets->kept_count = 0;
}
