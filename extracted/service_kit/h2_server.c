#include "extracted/service_kit/h2_server.h"

#include <errno.h>
#include <ev.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "extracted/service_kit/database.h"
#include "extracted/service_kit/h2_connection.h"

enum { WRITE_ROOM_LIMIT = 16 * 1024 * 1024, ACCEPTS_PER_TURN = 64 };

/* A connection among the server's: in the list of all, and perhaps in that of the due. */
struct client {
    struct client *next;
    struct client *previous;
    struct client *next_due;
    bool is_due;
    struct h2_server *server;
    ev_io readable;
    ev_io writable;
    struct h2_connection connection;
};

struct h2_server {
    struct ev_loop *loop;
    int listen_socket;
    ev_io acceptable;
    ev_prepare before_wait;
    ev_timer every_second;
    ev_timer wait_over; /* for the first of the waiting replies */
    ev_signal terminate;
    ev_signal interrupt;
    struct client *clients;
    struct client *due; /* to be flushed before the loop waits */
    unsigned client_count;
    bool is_stopping;
    double stop_at;
    struct h2_turn turn;
    struct h2_rooms rooms;
    struct h2_waiting waiting;
    unsigned news; /* of the database, as the waiting replies know them */
};

static void update_turn(struct h2_server *server)
{
    time_t before = (time_t)server->turn.now;
    server->turn.now = ev_now(server->loop);
    time_t seconds = (time_t)server->turn.now;
    struct tm broken_down;
    if (seconds == before || gmtime_r(&seconds, &broken_down) == NULL)
        return;
    /* RFC 9110 section 5.6.7. The program runs in the C locale. */
    strftime(server->turn.date, sizeof(server->turn.date), "%a, %d %b %Y %H:%M:%S GMT",
             &broken_down);
}

static void make_due(struct client *client)
{
    if (client->is_due)
        return;
    client->is_due = true;
    client->next_due = client->server->due;
    client->server->due = client;
}

static void start_accepting(struct h2_server *server)
{
    if (!server->is_stopping && server->client_count < H2_CONNECTIONS)
        ev_io_start(server->loop, &server->acceptable);
}

static void remove_client(struct client *client)
{
    struct h2_server *server = client->server;
    ev_io_stop(server->loop, &client->readable);
    ev_io_stop(server->loop, &client->writable);
    if (client->next != NULL)
        client->next->previous = client->previous;
    if (client->previous != NULL)
        client->previous->next = client->next;
    else
        server->clients = client->next;
    server->client_count--;
    h2_connection_done(&client->connection);
    free(client);
    start_accepting(server);
}

static void watch(struct ev_loop *loop, ev_io *watcher, bool wanted)
{
    if (wanted)
        ev_io_start(loop, watcher);
    else
        ev_io_stop(loop, watcher);
}

static void flush(struct client *client)
{
    struct ev_loop *loop = client->server->loop;
    enum h2_progress progress = h2_connection_flush(&client->connection);
    if (progress == H2_OVER) {
        remove_client(client);
        return;
    }
    watch(loop, &client->writable, progress == H2_WANTS_WRITE);
    watch(loop, &client->readable, h2_connection_can_receive(&client->connection));
}

static void on_wait_over(struct ev_loop *loop, ev_timer *watcher, int events)
{
    (void)loop;
    (void)events;
    update_turn(watcher->data); /* what is over is found before the loop waits again */
}

static void ask_again(struct h2_stream *stream, bool is_last_call)
{
    struct client *client = stream->session->owner;
    if (!h2_session_ask_again(stream, is_last_call))
        client->connection.is_broken = true;
    make_due(client);
}

static bool is_due(const struct h2_server *server, const struct http_reply *reply, bool has_news)
{
    bool is_over = server->waiting.is_over;
    if (reply->wait_until <= server->turn.now)
        return true;
    switch (reply->wait) {
    case HTTP_WAIT_NONE:
        break;
    case HTTP_WAIT_EVENT:
        return has_news || is_over;
    case HTTP_WAIT_TIME:
        return is_over;
    case HTTP_WAIT_TASK:
        return reply->is_woken;
    }
    return false;
}

static void ask_waiting(struct h2_server *server)
{
    unsigned news = database_news(server->turn.service->database);
    bool has_news = news != server->news;
    double now = server->turn.now;
    double next = now + H2_STALL_S;
    server->news = news;
    struct h2_stream *following;
    for (struct h2_stream *stream = server->waiting.first; stream != NULL; stream = following) {
        following = stream->next_waiting;
        if (is_due(server, &stream->reply, has_news))
            ask_again(stream, server->waiting.is_over && stream->reply.wait == HTTP_WAIT_EVENT);
        if (stream->is_waiting && stream->reply.wait_until < next)
            next = stream->reply.wait_until;
    }
    ev_timer_stop(server->loop, &server->wait_over);
    if (server->waiting.first == NULL)
        return;
    ev_timer_set(&server->wait_over, next > now ? next - now : 0., 0.);
    ev_timer_start(server->loop, &server->wait_over);
}

/* The only place that writes, and the only one that frees a connection while the loop runs. */
static void on_before_wait(struct ev_loop *loop, ev_prepare *watcher, int events)
{
    (void)events;
    struct h2_server *server = watcher->data;
    update_turn(server);
    ask_waiting(server);
    while (server->due != NULL) {
        struct client *client = server->due;
        server->due = client->next_due;
        client->is_due = false;
        flush(client);
    }
    if (server->is_stopping && server->client_count == 0)
        ev_break(loop, EVBREAK_ALL);
}

static void on_readable(struct ev_loop *loop, ev_io *watcher, int events)
{
    (void)loop;
    (void)events;
    struct client *client = watcher->data;
    update_turn(client->server);
    h2_connection_receive(&client->connection);
    make_due(client);
}

static void on_writable(struct ev_loop *loop, ev_io *watcher, int events)
{
    (void)loop;
    (void)events;
    make_due(watcher->data);
}

static void add_client(struct h2_server *server, int take_socket)
{
    int on = 1;
    setsockopt(take_socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    struct client *client = calloc(1, sizeof(*client));
    if (client == NULL ||
        !h2_connection_init(&client->connection, take_socket, &server->turn, &server->rooms)) {
        free(client);
        close(take_socket);
        return;
    }
    client->server = server;
    client->connection.session.owner = client;
    client->next = server->clients;
    if (client->next != NULL)
        client->next->previous = client;
    server->clients = client;
    server->client_count++;
    ev_io_init(&client->readable, on_readable, take_socket, EV_READ);
    ev_io_init(&client->writable, on_writable, take_socket, EV_WRITE);
    client->readable.data = client;
    client->writable.data = client;
    make_due(client);
}

/* Without descriptors or memory nothing is accepted until the next second, so nothing spins. */
static void on_acceptable(struct ev_loop *loop, ev_io *watcher, int events)
{
    (void)events;
    struct h2_server *server = watcher->data;
    update_turn(server);
    for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
        if (server->client_count >= H2_CONNECTIONS) {
            ev_io_stop(loop, watcher);
            return;
        }
        int accepted = accept4(server->listen_socket, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (accepted >= 0)
            add_client(server, accepted);
        else if (errno != ECONNABORTED && errno != EINTR) {
            if (errno != EAGAIN && errno != EWOULDBLOCK)
                ev_io_stop(loop, watcher);
            return;
        }
    }
}

static void on_second(struct ev_loop *loop, ev_timer *watcher, int events)
{
    (void)events;
    struct h2_server *server = watcher->data;
    update_turn(server);
    start_accepting(server);
    for (struct client *client = server->clients; client != NULL; client = client->next) {
        if (h2_connection_check_silence(&client->connection))
            make_due(client);
    }
    if (server->is_stopping && server->turn.now - server->stop_at > H2_DRAIN_S)
        ev_break(loop, EVBREAK_ALL);
}

static void on_stop_signal(struct ev_loop *loop, ev_signal *watcher, int events)
{
    (void)events;
    struct h2_server *server = watcher->data;
    if (server->is_stopping)
        return;
    update_turn(server);
    server->is_stopping = true;
    server->waiting.is_over = true;
    server->stop_at = server->turn.now;
    ev_io_stop(loop, &server->acceptable);
    close(server->listen_socket);
    server->listen_socket = -1;
    for (struct client *client = server->clients; client != NULL; client = client->next) {
        h2_connection_shut_down(&client->connection);
        make_due(client);
    }
}

static void init_watchers(struct h2_server *server)
{
    ev_io_init(&server->acceptable, on_acceptable, server->listen_socket, EV_READ);
    ev_prepare_init(&server->before_wait, on_before_wait);
    ev_timer_init(&server->every_second, on_second, 1., 1.);
    ev_signal_init(&server->terminate, on_stop_signal, SIGTERM);
    ev_signal_init(&server->interrupt, on_stop_signal, SIGINT);
    server->acceptable.data = server;
    ev_timer_init(&server->wait_over, on_wait_over, 0., 0.);
    server->wait_over.data = server;
    server->before_wait.data = server;
    server->every_second.data = server;
    server->terminate.data = server;
    server->interrupt.data = server;
}

struct h2_server *h2_server_new(int take_listen_socket, const struct h2_service *service)
{
    struct h2_server *server = calloc(1, sizeof(*server));
    struct ev_loop *loop = ev_loop_new(EVFLAG_AUTO | EVFLAG_NOENV);
    if (server == NULL || loop == NULL) {
        if (loop != NULL)
            ev_loop_destroy(loop);
        free(server);
        close(take_listen_socket);
        return NULL;
    }
    server->loop = loop;
    server->listen_socket = take_listen_socket;
    server->turn.service = service;
    server->turn.waiting = &server->waiting;
    body_text_init(&server->rooms.write, WRITE_ROOM_LIMIT);
    update_turn(server);
    init_watchers(server);
    ev_prepare_start(loop, &server->before_wait);
    ev_timer_start(loop, &server->every_second);
    ev_signal_start(loop, &server->terminate);
    ev_signal_start(loop, &server->interrupt);
    start_accepting(server);
    return server;
}

struct ev_loop *h2_server_loop(struct h2_server *server)
{
    return server->loop;
}

static void remove_clients(struct h2_server *server)
{
    while (server->clients != NULL)
        remove_client(server->clients);
}

void h2_server_run(struct h2_server *server)
{
    ev_run(server->loop, 0);
    remove_clients(server);
}

void h2_server_free(struct h2_server *server)
{
    if (server == NULL)
        return;
    remove_clients(server);
    ev_io_stop(server->loop, &server->acceptable);
    ev_prepare_stop(server->loop, &server->before_wait);
    ev_timer_stop(server->loop, &server->every_second);
    ev_timer_stop(server->loop, &server->wait_over);
    ev_signal_stop(server->loop, &server->terminate);
    ev_signal_stop(server->loop, &server->interrupt);
    ev_loop_destroy(server->loop);
    if (server->listen_socket >= 0)
        close(server->listen_socket);
    body_text_done(&server->rooms.write);
    free(server);
}
