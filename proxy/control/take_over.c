#include "proxy/control/take_over.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proxy/control/hand_over.h"
#include "proxy/core/log.h"

void take_over_init(struct take_over *take_over, int fd)
{
    *take_over = (struct take_over){.is_on = true, .fd = fd};
}

void take_over_tickets(struct take_over *take_over, struct tls_tickets *tickets)
{
    struct tls_ticket_keys keys;
    ssize_t length = recv(take_over->fd, &keys, sizeof(keys), MSG_DONTWAIT | MSG_TRUNC);
    if (length == (ssize_t)sizeof(keys))
        tls_tickets_set(tickets, &keys);
    explicit_bzero(&keys, sizeof(keys));
}

static void leave(struct take_over *take_over)
{
    close(take_over->fd);
    take_over->is_on = false;
}

static void say(struct take_over *take_over, const char *word)
{
    /* Whoever is gone is noticed by the end of the stream. */
    ssize_t ignored = send(take_over->fd, word, strlen(word), MSG_NOSIGNAL);
    (void)ignored;
}

/* "go 17" */
static bool read_go(struct strview text, uint64_t *ret_generation)
{
    static const struct strview go = {HAND_OVER_GO " ", sizeof(HAND_OVER_GO)};
    return text.length > go.length && strview_equal(strview_make(text.data, go.length), go) &&
           strview_to_u64(strview_from(text, go.length), UINT64_MAX, ret_generation);
}

bool take_over_wait(struct take_over *take_over, uint64_t limit_ms, uint64_t *ret_generation,
                    struct fault *fault)
{
    char text[HAND_OVER_WORD_BYTES];
    say(take_over, HAND_OVER_PREPARED);
    struct pollfd poll_fd = {.fd = take_over->fd, .events = POLLIN};
    int limit = limit_ms < INT32_MAX ? (int)limit_ms : INT32_MAX;
    if (poll(&poll_fd, 1, limit) <= 0)
        return fault_set(fault, "the process before this one does not hand over");
    ssize_t length = recv(take_over->fd, text, sizeof(text), 0);
    if (length <= 0) {
        log_warning("the process before this one is gone");
        leave(take_over);
        return true;
    }
    return read_go(strview_make(text, (size_t)length), ret_generation) ||
           fault_set(fault, "the process before this one hands over in a way that is not ours");
}

static void on_ended(struct ev_loop *ev, ev_io *watcher, int events)
{
    (void)events;
    struct take_over *take_over = watcher->data;
    char text[HAND_OVER_WORD_BYTES];
    ssize_t length = recv(take_over->fd, text, sizeof(text), 0);
    if (length > 0 || (length < 0 && (errno == EAGAIN || errno == EINTR)))
        return;
    log_info("the process before this one has ended");
    ev_io_stop(ev, watcher);
    leave(take_over);
}

void take_over_finish(struct take_over *take_over, struct loop *loop)
{
    if (!take_over->is_on)
        return;
    say(take_over, HAND_OVER_READY);
    ev_io_init(&take_over->ended, on_ended, take_over->fd, EV_READ);
    take_over->ended.data = take_over;
    ev_io_start(loop->ev, &take_over->ended);
}

void take_over_stop(struct take_over *take_over, struct loop *loop)
{
    if (!take_over->is_on)
        return;
    ev_io_stop(loop->ev, &take_over->ended);
    leave(take_over);
}
