/*
 * What people do with threads. One transaction of rows and events; its outcome is worded by the
 * faces. The loop's thread.
 */
#ifndef THREADS_WRITE_H
#define THREADS_WRITE_H

#include "extracted/service_kit/json_request.h"
#include "extracted/service_kit/outcome.h"

extern const struct json_field threads_title_field;

struct new_thread {
    int64_t user;
    struct http_view title;
    struct http_view slug; /* of its category */
};

/* The outcome's id is the new thread's. The title was checked; an unknown category is a fault of
 * the field. */
struct outcome threads_add(struct database *database, const struct http_request *request,
                           const struct new_thread *thread);

#endif
