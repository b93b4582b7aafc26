#include "proxy/backend/http1_request.h"

#include <stdio.h>

#include "proxy/http1/http1_output.h"

bool http1_request_is_chunked(const struct backend_request *request)
{
    return request->has_body && request->content_length == CONTENT_LENGTH_UNKNOWN;
}

/* How the body is framed (RFC 9112 section 6.3; RFC 9110 section 8.6 for methods that have one). */
static struct strview framing_fields(const struct backend_request *request, char buffer[static 64])
{
    if (http1_request_is_chunked(request))
        return STRVIEW("transfer-encoding: chunked\r\n");
    bool expects_body = request->method == METHOD_POST || request->method == METHOD_PUT ||
                        request->method == METHOD_PATCH;
    if (!request->has_body && !expects_body)
        return STRVIEW_NONE;
    long long length = request->has_body ? (long long)request->content_length : 0;
    int written = snprintf(buffer, 64, "content-length: %lld\r\n", length);
    return strview_make(buffer, (size_t)written);
}

void http1_request_write_head(struct byte_queue *output, const struct backend_request *request)
{
    char buffer[64];
    const struct strview line[] = {
        request->method_text,           STRVIEW(" "),       request->path,   request->query,
        STRVIEW(" HTTP/1.1\r\nhost: "), request->authority, STRVIEW("\r\n"),
    };
    const struct strview framing = request->websocket
                                       ? STRVIEW("connection: upgrade\r\nupgrade: websocket\r\n")
                                       : framing_fields(request, buffer);
    http1_write_head(output, (struct http1_text){line, sizeof(line) / sizeof(line[0])},
                     request->headers, (struct http1_text){&framing, 1});
}
