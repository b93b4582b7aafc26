/*
 * HTTP for operators and their tools on the admin address, in control's loop: it collects whole
 * requests with bounded bodies and sends answers, now or later; what a request means is decided by
 * whoever listens to its events. A client that is slow, silent or gone costs a connection for some
 * seconds and nothing else. Control thread.
 */
#ifndef CONTROL_ADMIN_SERVER_H
#define CONTROL_ADMIN_SERVER_H

#include "proxy/core/fault.h"
#include "proxy/net/address.h"
#include "proxy/net/loop.h"

enum { ADMIN_BODY_BYTES_MAX = 64 * 1024 };

struct admin_server;

/* The server's; it lives until it has been answered, and its texts as long. */
struct admin_request {
    struct strview method;
    struct strview path;    /* %-decoded, without query */
    struct strview body;    /* empty in on_head */
    bool has_too_long_body; /* `body` is not all of it */
    bool is_waited_for;     /* answered later: it has been given to on_request */
    void *owner;            /* for whoever answers later; NULL at first */
};

struct admin_events {
    /* The head is there: may be answered already, then its body goes unread. */
    void (*on_head)(void *context, struct admin_request *request);
    /* The whole of it is there. It is answered once, inside of this call or at any time later. */
    void (*on_request)(void *context, struct admin_request *request);
    /* The server ends: an unanswered request goes, and nobody may answer it any more. */
    void (*on_forgotten)(void *context, struct admin_request *request);
};

struct admin_answer {
    int status;
    const char *content_type;
    const char *allow; /* of a 405; else NULL */
    char *body;        /* from malloc; taken */
    size_t body_bytes;
};

/* Events and context outlive the server. NULL with *fault set when the address cannot be used. */
struct admin_server *admin_server_new(struct loop *loop, const struct address *address,
                                      const struct admin_events *events, void *context,
                                      struct fault *fault);
void admin_server_free(struct admin_server *server); /* NULL is allowed */

/* Of the head (the name in any case) and of the query; NULL when there is none. */
const char *admin_request_field(const struct admin_request *request, const char *name);
const char *admin_request_parameter(const struct admin_request *request, const char *name);

/* Once a request. */
void admin_reply_take(struct admin_request *request, const struct admin_answer *answer);

#endif
