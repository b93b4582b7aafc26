/* Answers that the proxy makes itself: problem details (RFC 9457) with the request's id. */
#ifndef EXCHANGE_LOCAL_REPLY_H
#define EXCHANGE_LOCAL_REPLY_H

#include "proxy/http/message.h"

struct local_reply {
    struct response_head head; /* has_body: `body` follows */
    struct strview body;
};

/* `detail` is one sentence, or NULL; `request_id` may be empty. Everything lives in `arena`. */
void local_reply_make(enum http_method method, int status, const char *detail,
                      struct strview request_id, struct arena *arena,
                      struct local_reply *ret_reply);

#endif
