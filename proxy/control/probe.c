#include "proxy/control/probe.h"

#include <stdio.h>
#include <stdlib.h>

#include "proxy/core/array.h"
#include "proxy/core/log.h"

enum {
    RUNNING_MAX = 64, /* what is due beyond waits for its turn */
    TURN_MS = 20,
    KNOCK_MS = 1000,
    LOOK_MS = 250,        /* how often clients' findings are looked at */
    PROBE_MAX_MS = 10000, /* no probe takes longer, be its interval longer */
    CONNECT_MAX_MS = 1000,
    BODY_MAX = 256 * 1024, /* read of an answer; the rest does not interest */
};

static uint64_t now_of(const struct probe *probe)
{
    return probe->environment->io.loop.now_ms;
}

/* xorshift64 (Marsaglia 2003): good enough to spread probes in time. */
static uint64_t draw(struct probe_environment *environment)
{
    uint64_t x = environment->random;
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    return environment->random = x;
}

/* Nine to eleven tenths of the interval. */
static uint64_t jittered(struct probe *probe, uint64_t interval_ms)
{
    return interval_ms - interval_ms / 10 + draw(probe->environment) % (interval_ms / 5 + 1);
}

static bool is_probed(const struct probe *probe)
{
    return probe->backend != NULL && probe->backend->health.enabled;
}

/* --- what it came to ------------------------------------------------------------------------- */

static void tell(const struct probe *probe, bool healthy, struct strview why)
{
    const struct endpoint_state *endpoint = probe->endpoint;
    if (healthy)
        log_info("backend %.*s, endpoint %.*s: healthy again", STRVIEW_ARGS(endpoint->backend_name),
                 STRVIEW_ARGS(endpoint->address_text));
    else
        log_warning("backend %.*s, endpoint %.*s: unhealthy, probes failed: %.*s",
                    STRVIEW_ARGS(endpoint->backend_name), STRVIEW_ARGS(endpoint->address_text),
                    STRVIEW_ARGS(why));
}

static void passed(struct probe *probe)
{
    struct endpoint_state *endpoint = probe->endpoint;
    const struct backend_health *health = &probe->backend->health;
    probe->failed_in_row = 0;
    probe->passed_in_row++;
    endpoint_found_again(endpoint, now_of(probe));
    enum endpoint_probed was = endpoint_probed(endpoint);
    if (was == ENDPOINT_PASSES || (was == ENDPOINT_FAILS && probe->passed_in_row < health->rise))
        return;
    endpoint_set_probed(endpoint, ENDPOINT_PASSES);
    if (was == ENDPOINT_FAILS)
        tell(probe, true, STRVIEW_NONE);
}

static void failed(struct probe *probe, struct strview why)
{
    const struct backend_health *health = &probe->backend->health;
    probe->passed_in_row = 0;
    probe->failed_in_row++;
    if (endpoint_probed(probe->endpoint) == ENDPOINT_FAILS || probe->failed_in_row < health->fall)
        return;
    endpoint_set_probed(probe->endpoint, ENDPOINT_FAILS);
    tell(probe, false, why);
}

static void end_request(struct probe *probe)
{
    struct backend_stream *stream = probe->stream;
    if (stream == NULL)
        return;
    probe->stream = NULL;
    probe->environment->running--;
    deadline_stop(&probe->deadline);
    backend_stream_close(stream);
}

static void finish(struct probe *probe, bool good, struct strview why)
{
    end_request(probe);
    if (!is_probed(probe))
        return; /* nobody wants to know any more */
    if (good)
        passed(probe);
    else
        failed(probe, why);
}

/* --- the request ----------------------------------------------------------------------------- */

static void on_interim_head(void *owner, const struct response_head *head)
{
    (void)owner, (void)head;
}

static void on_response_head(void *owner, const struct response_head *head)
{
    struct probe *probe = owner;
    if (head->status >= 200 && head->status < 400)
        return;
    char why[32];
    snprintf(why, sizeof(why), "status %d", head->status);
    finish(probe, false, strview_of(why));
}

static void on_response_body(void *owner, struct buffer *buffer, const char *data, size_t length)
{
    struct probe *probe = owner;
    (void)buffer, (void)data;
    probe->body_bytes += length;
    if (probe->body_bytes > BODY_MAX)
        finish(probe, true, STRVIEW_NONE);
    else
        backend_stream_consumed(probe->stream, length);
}

static void on_response_end(void *owner, const struct headers *trailers)
{
    (void)trailers;
    finish(owner, true, STRVIEW_NONE);
}

static void on_request_consumed(void *owner, size_t length)
{
    (void)owner, (void)length;
}

static void on_failed(void *owner, enum backend_fault fault, bool unprocessed, bool reused)
{
    (void)unprocessed, (void)reused;
    finish(owner, false, backend_fault_name(fault));
}

static const struct backend_stream_events events = {
    .on_interim_head = on_interim_head,
    .on_response_head = on_response_head,
    .on_response_body = on_response_body,
    .on_response_end = on_response_end,
    .on_request_consumed = on_request_consumed,
    .on_failed = on_failed,
};

static void on_deadline(struct deadline *deadline)
{
    struct probe *probe = LIST_ENTRY(deadline, struct probe, deadline);
    finish(probe, false, STRVIEW("no answer in time"));
}

static struct strview authority_of(const struct probe *probe)
{
    const struct endpoint_state *endpoint = probe->endpoint;
    if (endpoint->address.socket.any.sa_family == AF_UNIX)
        return STRVIEW("localhost");
    return endpoint->host.length > 0 ? endpoint->host : endpoint->address_text;
}

static void fill_request(struct probe *probe)
{
    const struct backend *backend = probe->backend;
    struct arena *arena = &probe->arena;
    arena_done(arena); /* of the last one: nobody frees what an event is about inside it */
    arena_init(arena, &probe->environment->io.arenas);
    headers_init(&probe->headers);
    headers_add(&probe->headers, arena, HEADER_OTHER, STRVIEW("user-agent"),
                STRVIEW("strangler-probe"));
    headers_add(&probe->headers, arena, HEADER_OTHER, STRVIEW("accept"), STRVIEW("*/*"));
    probe->request = (struct backend_request){
        .method = METHOD_GET,
        .method_text = STRVIEW("GET"),
        .scheme = backend->tls != NULL ? STRVIEW("https") : STRVIEW("http"),
        .authority = authority_of(probe),
        .path = arena_copy(arena, backend->health.path),
        .headers = &probe->headers,
        .content_length = CONTENT_LENGTH_UNKNOWN,
    };
}

/* Each time on a connection of its own: new clients' requests need one, too. */
static void begin_request(struct probe *probe)
{
    const struct backend *backend = probe->backend;
    uint64_t interval_ms = backend->health.interval_ms;
    int64_t limit_ms = interval_ms < PROBE_MAX_MS ? (int64_t)interval_ms : PROBE_MAX_MS;
    const struct timeouts timeouts = {
        .connect_ms = limit_ms, .first_byte_ms = limit_ms, .keep_alive_ms = 1};
    fill_request(probe);
    struct backend_stream_options options = {
        .request = &probe->request,
        .timeouts = &timeouts,
        .limits = &backend->limits,
        .tls = backend->tls,
        .events = &events,
        .owner = probe,
        .arena = &probe->arena,
    };
    probe->body_bytes = 0;
    probe->stream = backend_pool_open_stream(
        backend_pools_get(&probe->environment->pools, probe->endpoint), &options);
    if (probe->stream == NULL)
        return; /* our own lack of memory says nothing about the endpoint */
    probe->environment->running++;
    deadline_start(&probe->environment->io.loop, &probe->deadline, (uint64_t)limit_ms);
}

/* --- knocking -------------------------------------------------------------------------------- */

static void end_knock(struct probe *probe)
{
    if (!probe->knocking)
        return;
    probe->knocking = false;
    probe->environment->running--;
    deadline_stop(&probe->deadline);
    byte_stream_close(&probe->door);
}

static void on_door_open(struct byte_stream *door)
{
    struct probe *probe = LIST_ENTRY(door, struct probe, door);
    end_knock(probe);
    endpoint_found_again(probe->endpoint, now_of(probe));
}

static void on_door_bytes(struct byte_stream *door, struct buffer *buffer, const char *data,
                          size_t length)
{
    (void)door, (void)buffer, (void)data, (void)length;
}

static void on_door_end(struct byte_stream *door, enum byte_stream_end end)
{
    (void)end;
    end_knock(LIST_ENTRY(door, struct probe, door));
}

static void on_knock_expired(struct deadline *deadline)
{
    end_knock(LIST_ENTRY(deadline, struct probe, deadline));
}

static const struct byte_stream_events door_events = {
    .on_open = on_door_open,
    .on_bytes = on_door_bytes,
    .on_end = on_door_end,
};

static void begin_knock(struct probe *probe)
{
    probe->knocking = true;
    probe->environment->running++;
    deadline_init(&probe->deadline, on_knock_expired);
    deadline_start(&probe->environment->io.loop, &probe->deadline, CONNECT_MAX_MS);
    byte_stream_connect_take(&probe->door, &probe->environment->io, &probe->endpoint->address, NULL,
                             &door_events);
}

/* --- when ------------------------------------------------------------------------------------ */

static uint64_t run_knock(struct probe *probe)
{
    uint64_t now_ms = now_of(probe);
    if (now_ms < probe->due_ms || !endpoint_is_unreachable(probe->endpoint))
        return now_ms + LOOK_MS;
    if (probe->environment->running >= RUNNING_MAX)
        return now_ms + TURN_MS;
    begin_knock(probe);
    probe->due_ms = now_ms + jittered(probe, KNOCK_MS);
    return now_ms + LOOK_MS;
}

uint64_t probe_run(struct probe *probe)
{
    uint64_t now_ms = now_of(probe);
    if (probe->backend == NULL)
        return UINT64_MAX;
    if (probe->stream != NULL || probe->knocking)
        return now_ms < probe->due_ms ? probe->due_ms : now_ms + TURN_MS;
    if (!is_probed(probe))
        return run_knock(probe);
    if (now_ms < probe->due_ms)
        return probe->due_ms;
    if (probe->environment->running >= RUNNING_MAX)
        return now_ms + TURN_MS;
    deadline_init(&probe->deadline, on_deadline);
    begin_request(probe);
    return probe->due_ms = now_ms + jittered(probe, probe->backend->health.interval_ms);
}

/* --- life ------------------------------------------------------------------------------------ */

struct probe *probe_new(struct probe_environment *environment, struct endpoint_state *endpoint)
{
    struct probe *probe = memory_zalloc(sizeof(*probe));
    probe->environment = environment;
    probe->endpoint = endpoint;
    deadline_init(&probe->deadline, on_deadline);
    arena_init(&probe->arena, NULL);
    return probe;
}

void probe_free(struct probe *probe)
{
    end_request(probe);
    end_knock(probe);
    arena_done(&probe->arena);
    free(probe);
}

/* The first probes of many endpoints are spread over a tenth of their interval. */
void probe_set_backend(struct probe *probe, const struct backend *backend)
{
    bool was_probed = is_probed(probe);
    probe->backend = backend;
    if (is_probed(probe)) {
        if (!was_probed)
            probe->due_ms =
                now_of(probe) + draw(probe->environment) % (backend->health.interval_ms / 10 + 1);
        return;
    }
    end_request(probe);
    probe->passed_in_row = probe->failed_in_row = 0;
    endpoint_set_probed(probe->endpoint, ENDPOINT_NOT_PROBED);
}
