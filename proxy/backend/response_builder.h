/*
 * Collects the head (or the trailers) of a backend's answer, field by field, within bounds,
 * whatever protocol it comes by. Embedded in a stream; bytes go to the stream's arena. One thread.
 */
#ifndef BACKEND_RESPONSE_BUILDER_H
#define BACKEND_RESPONSE_BUILDER_H

#include "proxy/backend/backend_stream.h"

enum builder_result { BUILDER_OK, BUILDER_MALFORMED, BUILDER_TOO_LARGE };

struct response_builder {
    struct response_head head;
    uint32_t bytes; /* of all heads and trailers of this answer */
    uint32_t interim_heads;
};

void response_builder_init(struct response_builder *builder);

/* Before each head and before trailers: forgets the fields, not the totals. */
void response_builder_restart(struct response_builder *builder);

/* `name` is lower case. Both views have to live in `arena` or longer. */
enum builder_result response_builder_field(struct response_builder *builder, struct arena *arena,
                                           struct strview name, struct strview value);

/* The same for a field that has its token and has been found valid (http/headers.h). */
enum builder_result response_builder_add(struct response_builder *builder, struct arena *arena,
                                         const struct header_field *field);

/*
 * The head is complete: checks status (100 … 599, not 101) and Content-Length (digits; equal when
 * repeated, RFC 9110 section 8.6) and counts interim heads. `ends` says that nothing follows it.
 */
enum builder_result response_builder_head_done(struct response_builder *builder,
                                               enum http_method request_method, bool ends);

#endif
