/*
 * A transaction of rows and events that only the owner of their aggregate may make. The loop's
 * thread; nothing waits between its two ends.
 */
#ifndef SERVICE_KIT_OWNED_WRITE_H
#define SERVICE_KIT_OWNED_WRITE_H

#include "extracted/service_kit/database.h"
#include "extracted/service_kit/http_message.h"
#include "extracted/service_kit/outcome.h"

/* False, and nothing is open: the outcome says why not. */
bool owned_write_open(struct database *database, const struct http_request *request,
                      struct outcome *ret_outcome);

/* Keeps the rows and events if the outcome is done; what is kept is on disk. Returns the outcome,
 * which is another one if they could not be kept. */
struct outcome owned_write_close(struct database *database, struct outcome outcome);

#endif
