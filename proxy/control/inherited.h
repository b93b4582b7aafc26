/*
 * Listening sockets that are there when the program starts: from the process before it, which hands
 * over to it, or from systemd. Found by the environment, matched by address. Control thread.
 *
 *   STRANGLER_HAND_OVER=N,S            N sockets from descriptor 3 on, the last S of them from
 *                                      systemd in the beginning, and behind them one end of a
 *                                      socket pair to the process before (control/take_over)
 *   LISTEN_PID, LISTEN_FDS=N           N sockets from descriptor 3 on, if the pid is ours
 */
#ifndef CONTROL_INHERITED_H
#define CONTROL_INHERITED_H

#include "proxy/client/listener.h"
#include "proxy/core/fault.h"
#include "proxy/net/address.h"

#define HAND_OVER_VARIABLE "STRANGLER_HAND_OVER"

enum {
    INHERITED_FIRST_FD = 3 /* as systemd says, and program_spawn does */,
    INHERITED_MAX = 16384
};

struct inherited_socket {
    int fd;
    bool from_systemd;
    struct address address;
};

struct inherited_sockets {
    struct inherited_socket *items;
    size_t count;
    bool handed_over;     /* by a process of ours, not by systemd */
    int previous_fd;      /* of the pair, when handed over; the caller's */
    struct address *kept; /* those taken whose files are systemd's, to make and to remove */
    size_t kept_count;
};

/*
 * Reads the environment and takes its variables out of it. Before any descriptor is opened. False
 * with *fault set when it does not say the truth; sockets that nobody can listen on are reported
 * and closed.
 */
bool inherited_sockets_read(struct inherited_sockets *sockets, struct fault *fault);

/* Those with this address go to `taken`, which takes their descriptors. */
void inherited_sockets_take(struct inherited_sockets *sockets, const struct address *address,
                            struct listener_sockets *taken);

/* Names those that are left, which no listener of the configuration wanted, and closes them; the
 * file of a Unix socket that was ours goes, too. */
void inherited_sockets_report(struct inherited_sockets *sockets);

/* Is this a Unix socket whose file is not ours to remove? */
bool inherited_sockets_keep_file(const struct inherited_sockets *sockets,
                                 const struct address *address);

/* Without a word; what is kept is forgotten. */
void inherited_sockets_done(struct inherited_sockets *sockets);

#endif
