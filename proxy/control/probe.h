/*
 * One endpoint that is looked after. Active health: requests of our own, over the backend's
 * protocol and TLS, decide whether it takes requests at all. Without them, one that clients'
 * requests found unreachable is knocked at until it opens. Owned by the prober, its thread.
 */
#ifndef CONTROL_PROBE_H
#define CONTROL_PROBE_H

#include "proxy/backend/backend_pool.h"
#include "proxy/backend/endpoint_health.h"
#include "proxy/net/byte_stream.h"

/* What probes share. */
struct probe_environment {
    struct io io;
    struct backend_pools pools;
    uint64_t random;
    uint32_t running; /* requests and knocks under way */
};

struct probe {
    struct probe_environment *environment;
    struct endpoint_state *endpoint;
    const struct backend *backend; /* of the snapshot that the prober holds; NULL: not named now */
    uint64_t due_ms;
    uint32_t passed_in_row;
    uint32_t failed_in_row;

    /* the request under way */
    struct backend_stream *stream; /* NULL: none */
    struct arena arena;            /* of this request or of the last one */
    struct headers headers;
    struct backend_request request;
    struct deadline deadline;
    size_t body_bytes;

    /* the knock under way */
    struct byte_stream door;
    bool knocking;
};

struct probe *probe_new(struct probe_environment *environment, struct endpoint_state *endpoint);

/* Ends what is under way. */
void probe_free(struct probe *probe);

/* What the configuration says now; NULL: it does not name the endpoint any more. */
void probe_set_backend(struct probe *probe, const struct backend *backend);

/* Begins what is due; returns when to come again, on the loop's clock. */
uint64_t probe_run(struct probe *probe);

#endif
