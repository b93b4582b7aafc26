/*
 * A transaction of rows and events that only the owner of their aggregate may make. The loop's
 * thread; nothing waits between its two ends.
 */
#ifndef SERVICE_KIT_OWNED_WRITE_H
#define SERVICE_KIT_OWNED_WRITE_H

#include "extracted/service_kit/database.h"
#include "extracted/service_kit/http_message.h"

/* False: the reply says why not, such as 409 for who does not own the writes. */
bool owned_write_begin(struct database *database, const struct http_request *request,
                       struct http_reply *reply);

/* Keeps the rows and events if `is_good`. False: nothing was kept, and the reply is a fault. What
 * is kept is on disk. */
bool owned_write_end(struct database *database, struct http_reply *reply, bool is_good);

#endif
