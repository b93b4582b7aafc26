/*
 * nghttp2's memory. What comes and goes with streams is taken from a worker's pool. A session keeps
 * one piece of 16 KiB for good, in which it builds frames; most frames that it builds are short,
 * since bodies do not pass through it. So of the pages of that piece only those are resident that
 * were written to: an idle connection costs far less. Embedded in the owner of the session; one
 * thread.
 */
#ifndef HTTP2_HTTP2_MEMORY_H
#define HTTP2_HTTP2_MEMORY_H

#include <nghttp2/nghttp2.h>
#include <stdbool.h>

#include "proxy/core/block_pool.h"

struct http2_memory {
    struct block_pool *blocks;
    bool has_frames; /* the piece for frames, the first of its size, is taken */
};

/* For nghttp2_session_*_new3. Both outlive the session. */
nghttp2_mem http2_memory_init(struct http2_memory *memory, struct block_pool *blocks);

#endif
