/*
 * From a reply to what libmicrohttpd sends. The thread that runs the exchange.
 */
#ifndef MONOLITH_WEB_RESPONSE_H
#define MONOLITH_WEB_RESPONSE_H

#include <microhttpd.h>

#include "monolith_stub/reply.h"

/* Takes body and stream out of the reply. NULL: no memory. */
struct MHD_Response *web_response_new(struct reply *reply);

#endif
