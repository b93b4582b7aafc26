#include "tests/fuzz/response.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proxy/backend/backend_pool.h"
#include "proxy/core/check.h"
#include "proxy/net/socket.h"
#include "tests/fuzz/fuzz.h"

enum {
    CHOICES_BYTES = 4,
    REQUESTS_MAX = 8,
    PIPELINED = 3,
    BUDGET_BYTES = 1 << 20,
    BODY_BYTES = 5000,
    TURNS_A_PIECE = 3, /* accept or read; act; see what that led to */
};

struct choices {
    uint8_t method;      /* & 7: which request; & 16: a length for its body, else chunks */
    uint8_t piece_bytes; /* the most that is sent at once; 0: all */
    uint8_t close_at;    /* the owner closes its stream in this event; 0: when it is over */
    uint8_t flags;
};

enum choice_flag {
    CHOICE_END = 1,           /* the backend closes when it has sent everything */
    CHOICE_NEVER_CONSUME = 2, /* the client does not read */
    CHOICE_CONSUME_LATER = 4,
    CHOICE_CLOSE_LATER = 8, /* not inside the event that ends the stream */
    CHOICE_BODY_LATER = 16, /* the request is ended only after some of the answer */
    CHOICE_SETTINGS = 32,   /* in HTTP/2: the backend has begun with its settings */
    CHOICE_PIPELINED = 64,  /* in HTTP/1: several requests at once; the clients read */
};

struct owner {
    struct backend_stream *stream; /* NULL: closed */
    const struct owner *before;    /* whose answer comes first; NULL: nobody's */
    enum backend_protocol protocol;
    struct backend_request request;
    struct choices choices;
    struct arena arena;
    uint32_t events;
    bool final_head;
    bool ended;
    bool has_body;
    int64_t content_length;
    uint64_t delivered;
    size_t held;
    size_t body_unsent; /* request body given away and not reported as consumed */
    bool request_ended;
};

struct world {
    struct io io;
    struct backend_pools pools;
    struct endpoint_state endpoint;
    int listener;
    int backend; /* the backend's end of the last connection; -1: none */
    struct choices choices;
};

/* --- the owner of the streams -------------------------------------------------------------- */

static void close_stream(struct owner *owner)
{
    struct backend_stream *stream = owner->stream;
    if (stream == NULL)
        return;
    owner->stream = NULL;
    backend_stream_close(stream);
}

static void end_request(struct owner *owner)
{
    if (owner->request.has_body && !owner->request_ended && owner->stream != NULL) {
        owner->request_ended = true;
        backend_stream_send_end(owner->stream, NULL);
    }
}

static struct owner *on_event(void *context)
{
    struct owner *owner = context;
    CHECK(owner->stream != NULL && !owner->ended);
    owner->events++;
    return owner;
}

static void after_event(struct owner *owner)
{
    if (owner->choices.close_at != 0 && owner->events >= owner->choices.close_at)
        close_stream(owner);
}

static void check_fields(const struct headers *headers)
{
    CHECK(headers->count <= BACKEND_HEADER_FIELDS && headers->bytes <= BACKEND_HEADER_BYTES);
    for (uint32_t i = 0; i < headers->count; i++) {
        const struct header_field *field = &headers->fields[i];
        CHECK(header_name_is_token(field->name) && header_value_is_valid(field->value));
        CHECK(field->token == header_token_of(field->name));
        for (size_t j = 0; j < field->name.length; j++)
            CHECK(field->name.data[j] == ascii_lower(field->name.data[j]));
    }
}

static void on_interim_head(void *context, const struct response_head *head)
{
    struct owner *owner = on_event(context);
    CHECK(!owner->final_head && head->status >= 100 && head->status < 200 && head->status != 101);
    check_fields(&head->headers);
    after_event(owner);
}

/* What RFC 9110 section 6.4.1 and the head say about content. */
static void check_body_announced(const struct owner *owner, const struct response_head *head)
{
    bool empty = response_has_no_content(owner->request.method, head->status);
    if (owner->protocol == BACKEND_HTTP1)
        CHECK(head->has_body == (!empty && head->content_length != 0));
    else
        CHECK(!head->has_body || !empty); /* a frame says where it ends */
    CHECK(head->content_length >= CONTENT_LENGTH_UNKNOWN);
}

static void on_response_head(void *context, const struct response_head *head)
{
    struct owner *owner = on_event(context);
    CHECK(!owner->final_head && head->status >= 200 && head->status <= 599);
    check_fields(&head->headers);
    check_body_announced(owner, head);
    owner->final_head = true;
    owner->has_body = head->has_body;
    owner->content_length = head->content_length;
    end_request(owner);
    after_event(owner);
}

static void on_response_body(void *context, struct buffer *buffer, const char *data, size_t length)
{
    struct owner *owner = on_event(context);
    CHECK(owner->final_head && owner->has_body && length > 0);
    CHECK(data >= buffer->bytes && data + length <= buffer->bytes + buffer->used);
    owner->delivered += length;
    owner->held += length;
    CHECK(owner->content_length == CONTENT_LENGTH_UNKNOWN ||
          owner->delivered <= (uint64_t)owner->content_length);
    /* The window, and what one turn may read beyond it. */
    CHECK(owner->held <= owner->stream->window.size + 4 * (size_t)BUFFER_BYTES);
    if (!(owner->choices.flags & (CHOICE_NEVER_CONSUME | CHOICE_CONSUME_LATER))) {
        owner->held -= length;
        backend_stream_consumed(owner->stream, length);
    }
    after_event(owner);
}

static void end(struct owner *owner)
{
    owner->ended = true;
    if (!(owner->choices.flags & CHOICE_CLOSE_LATER))
        close_stream(owner);
}

static void on_response_end(void *context, const struct headers *trailers)
{
    struct owner *owner = on_event(context);
    CHECK(owner->final_head);
    CHECK(owner->before == NULL || owner->before->ended || owner->before->stream == NULL);
    CHECK(!owner->has_body || owner->content_length == CONTENT_LENGTH_UNKNOWN ||
          owner->delivered == (uint64_t)owner->content_length);
    check_fields(trailers);
    end(owner);
}

static void on_request_consumed(void *context, size_t length)
{
    struct owner *owner = on_event(context);
    CHECK(length > 0 && length <= owner->body_unsent);
    owner->body_unsent -= length;
    after_event(owner);
}

static void on_failed(void *context, enum backend_fault fault, bool unprocessed, bool reused)
{
    struct owner *owner = on_event(context);
    CHECK(fault < BACKEND_FAULT_COUNT);
    CHECK(!owner->final_head || (!unprocessed && !reused));
    end(owner);
}

static const struct backend_stream_events stream_events = {
    .on_interim_head = on_interim_head,
    .on_response_head = on_response_head,
    .on_response_body = on_response_body,
    .on_response_end = on_response_end,
    .on_request_consumed = on_request_consumed,
    .on_failed = on_failed,
};

/* --- requests ------------------------------------------------------------------------------ */

static const struct headers no_headers;

static struct backend_request request_of(const struct choices *choices)
{
    static const enum http_method methods[] = {METHOD_GET,  METHOD_HEAD,   METHOD_POST,
                                               METHOD_POST, METHOD_DELETE, METHOD_OPTIONS,
                                               METHOD_GET,  METHOD_PUT};
    enum http_method method = methods[choices->method & 7];
    bool has_body = (choices->method & 7) == 3 || method == METHOD_PUT;
    bool has_length = has_body && (choices->method & 16);
    return (struct backend_request){
        .method = method,
        .method_text = http_method_name(method),
        .scheme = STRVIEW("http"),
        .authority = STRVIEW("fuzz"),
        .path = STRVIEW("/"),
        .headers = &no_headers,
        .content_length = has_length ? BODY_BYTES : CONTENT_LENGTH_UNKNOWN,
        .has_body = has_body,
    };
}

/* False when memory was out before it began. */
static bool begin_request(struct world *world, struct owner *owner)
{
    const struct choices *choices = &world->choices;
    static const char body[BODY_BYTES];
    static const struct timeouts timeouts = {0}; /* none: the test has no clock */
    *owner = (struct owner){.choices = *choices, .request = request_of(choices)};
    owner->protocol = (enum backend_protocol)world->endpoint.protocol;
    arena_init(&owner->arena, &world->io.arenas);
    struct backend_stream_options options = {
        .request = &owner->request,
        .timeouts = &timeouts,
        .events = &stream_events,
        .owner = owner,
        .arena = &owner->arena,
    };
    struct backend_pool *pool = backend_pools_get(&world->pools, &world->endpoint);
    bool is_pipelined = (choices->flags & CHOICE_PIPELINED) && owner->protocol == BACKEND_HTTP1;
    owner->stream = backend_pool_open_pipelined(pool, &options, is_pipelined ? PIPELINED : 1);
    CHECK(owner->events == 0);
    if (owner->stream == NULL) {
        CHECK(fuzz_memory_fails);
        arena_done(&owner->arena);
        return false;
    }
    if (owner->request.has_body) {
        owner->body_unsent = sizeof(body);
        backend_stream_send_body(owner->stream, NULL, body, sizeof(body));
        if (!(choices->flags & CHOICE_BODY_LATER))
            end_request(owner);
    }
    return true;
}

static void finish_request(struct owner *owner)
{
    close_stream(owner);
    arena_done(&owner->arena);
}

/* --- the backend --------------------------------------------------------------------------- */

static void listen_here(struct world *world)
{
    struct address *address = &world->endpoint.address;
    world->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    CHECK(world->listener >= 0);
    address->socket.any.sa_family = AF_UNIX; /* without a name the system chooses one */
    CHECK(bind(world->listener, &address->socket.any, sizeof(sa_family_t)) == 0);
    CHECK(listen(world->listener, 8) == 0);
    CHECK(socket_local_address(world->listener, address));
}

/* The proxy's connection is new: the old one is of no use any more. */
static void accept_connection(struct world *world)
{
    struct address address;
    int fd = socket_accept(world->listener, &address);
    if (fd < 0)
        return;
    if (world->backend >= 0)
        close(world->backend);
    world->backend = fd;
    static const char settings[] = "\0\0\0\4\0\0\0\0"; /* and a NUL */
    if (world->endpoint.protocol == BACKEND_H2 && (world->choices.flags & CHOICE_SETTINGS))
        CHECK(send(fd, settings, sizeof(settings), MSG_NOSIGNAL) == sizeof(settings) ||
              fuzz_memory_fails);
}

/* Reads what the proxy sent, so that it can send on. */
static void drop_request(struct world *world)
{
    static char dropped[65536];
    while (world->backend >= 0 && recv(world->backend, dropped, sizeof(dropped), MSG_DONTWAIT) > 0)
        continue;
}

static void turn(struct world *world)
{
    for (int i = 0; i < TURNS_A_PIECE; i++) {
        ev_run(world->io.loop.ev, EVRUN_NOWAIT);
        accept_connection(world);
        drop_request(world);
    }
}

static void consume_held(struct owner *owner)
{
    size_t held = owner->held;
    if (owner->stream == NULL || held == 0 || !(owner->choices.flags & CHOICE_CONSUME_LATER))
        return;
    owner->held = 0;
    backend_stream_consumed(owner->stream, held);
}

/* Sends as much of the answer as the socket takes, piece by piece, until the request is over. The
 * bytes that are left. */
static struct strview send_answer(struct world *world, struct owner *owner, struct strview answer)
{
    turn(world);
    while (answer.length > 0 && owner->stream != NULL && !owner->ended && world->backend >= 0) {
        size_t piece = owner->choices.piece_bytes;
        if (piece == 0 || piece > answer.length)
            piece = answer.length;
        ssize_t sent = send(world->backend, answer.data, piece, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent <= 0)
            break; /* the proxy reads no more, or has closed */
        answer = strview_from(answer, (size_t)sent);
        turn(world);
        consume_held(owner);
    }
    return answer;
}

static void close_backend(struct world *world)
{
    if (world->backend >= 0)
        close(world->backend);
    world->backend = -1;
}

/* --- one input ----------------------------------------------------------------------------- */

static void run_requests(struct world *world, struct strview answer)
{
    struct owner owner;
    for (int i = 0; i < REQUESTS_MAX && (i == 0 || answer.length > 0); i++) {
        if (!begin_request(world, &owner))
            break;
        size_t before = answer.length;
        answer = send_answer(world, &owner, answer);
        bool stuck = answer.length == before || (owner.stream != NULL && !owner.ended);
        if (stuck && (world->choices.flags & CHOICE_END)) {
            close_backend(world);
            turn(world);
            consume_held(&owner);
            turn(world);
            /* A client that does not read keeps the proxy from seeing the end. */
            CHECK(owner.ended || owner.stream == NULL || owner.stream->window.held > 0);
        }
        finish_request(&owner);
        if (stuck)
            break;
    }
}

static void run_pipelined(struct world *world, struct strview answer)
{
    struct owner owners[PIPELINED];
    int count = 0;
    world->choices.flags &= (uint8_t) ~(CHOICE_NEVER_CONSUME | CHOICE_CONSUME_LATER);
    while (count < PIPELINED && begin_request(world, &owners[count])) {
        enum http_method method = owners[count].request.method;
        bool shares = method == METHOD_GET || method == METHOD_HEAD;
        owners[count].before = shares && count > 0 ? &owners[count - 1] : NULL;
        count++;
    }
    if (count == PIPELINED)
        send_answer(world, &owners[PIPELINED - 1], answer);
    if (world->choices.flags & CHOICE_END) {
        close_backend(world);
        turn(world);
    }
    for (int i = 0; i < count; i++)
        finish_request(&owners[i]);
}

static void check_nothing_is_held(struct world *world)
{
    CHECK(backend_pools_get(&world->pools, &world->endpoint)->in_flight == 0);
    CHECK(world->pools.budget.granted == 0);
    backend_pools_done(&world->pools);
    loop_run_tasks(&world->io.loop);
    CHECK(world->io.buffers.live == 1 + (size_t)world->io.spare_count); /* to read into */
}

void response_run(enum backend_protocol protocol, const uint8_t *data, size_t size)
{
    static struct world world;
    if (world.endpoint.address_text.length == 0) {
        io_init(&world.io);
        world.endpoint.address_text = STRVIEW("unix");
        listen_here(&world);
    }
    if (size < CHOICES_BYTES)
        return;
    world.endpoint.protocol = protocol;
    world.choices = (struct choices){data[0], data[1], data[2], data[3]};
    world.backend = -1;
    backend_pools_init(&world.pools, &world.io, BUDGET_BYTES);
    struct strview answer = strview_make((const char *)data + CHOICES_BYTES, size - CHOICES_BYTES);
    if (protocol == BACKEND_HTTP1 && (world.choices.flags & CHOICE_PIPELINED))
        run_pipelined(&world, answer);
    else
        run_requests(&world, answer);
    check_nothing_is_held(&world);
    close_backend(&world);
}
