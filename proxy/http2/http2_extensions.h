/*
 * Frames of types that nobody knows: ignored, as RFC 9113 section 4.1 wants it, but not in silence.
 * nghttp2 by itself passes over them without a word, so that nobody could count them.
 */
#ifndef HTTP2_HTTP2_EXTENSIONS_H
#define HTTP2_HTTP2_EXTENSIONS_H

#include <nghttp2/nghttp2.h>

/* For a new session: its on_begin_frame is called for them, too. */
void http2_extensions_show(nghttp2_session_callbacks *callbacks, nghttp2_option *options);

#endif
