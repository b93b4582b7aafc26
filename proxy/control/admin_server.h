/*
 * HTTP for operators and their tools on the admin address, in control's loop. Which path does what
 * stands in one table; each row is a function that writes a text. Control thread.
 */
#ifndef CONTROL_ADMIN_SERVER_H
#define CONTROL_ADMIN_SERVER_H

#include <stdio.h>

#include "proxy/core/fault.h"
#include "proxy/net/address.h"
#include "proxy/net/loop.h"

struct admin_server;

/* One path: writes the body and returns the status. */
struct admin_route {
    const char *path;
    const char *content_type;
    int (*write)(void *context, FILE *out);
};

/* Rows end with a NULL path and, like the context, outlive the server. NULL with *fault set when
 * the address cannot be used. */
struct admin_server *admin_server_new(struct loop *loop, const struct address *address,
                                      const struct admin_route *routes, void *context,
                                      struct fault *fault);
void admin_server_free(struct admin_server *server); /* NULL is allowed */

#endif
