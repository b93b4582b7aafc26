#include "proxy/http2/http2_extensions.h"

enum { FIRST_EXTENSION_TYPE = 0x0a };

static int skip_bytes(nghttp2_session *session, const nghttp2_frame_hd *head, const uint8_t *data,
                      size_t length, void *user_data)
{
    (void)session, (void)head, (void)data, (void)length, (void)user_data;
    return NGHTTP2_ERR_CANCEL;
}

static int skip(nghttp2_session *session, void **payload, const nghttp2_frame_hd *head,
                void *user_data)
{
    (void)session, (void)payload, (void)head, (void)user_data;
    return NGHTTP2_ERR_CANCEL;
}

void http2_extensions_show(nghttp2_session_callbacks *callbacks, nghttp2_option *options)
{
    for (unsigned type = FIRST_EXTENSION_TYPE; type <= UINT8_MAX; type++)
        nghttp2_option_set_user_recv_extension_type(options, (uint8_t)type);
    nghttp2_session_callbacks_set_on_extension_chunk_recv_callback(callbacks, skip_bytes);
    nghttp2_session_callbacks_set_unpack_extension_callback(callbacks, skip);
}
