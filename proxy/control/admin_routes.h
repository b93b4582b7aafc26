/*
 * What the admin address answers: a row a path and method, and the way from a request to its row
 * (access, size, type, methods). Control thread.
 */
#ifndef CONTROL_ADMIN_ROUTES_H
#define CONTROL_ADMIN_ROUTES_H

#include "proxy/control/admin_json.h"

struct control;

/* One request on its way to the function of its row, which answers it. */
struct admin_call {
    struct control *control;
    struct admin_request *request;
    struct strview name; /* what stands at the `*` of the row's path */
    const json_t *body;  /* of a POST: an object; borrowed for the call */
};

struct admin_route {
    const char *method;
    const char *path; /* `*` is one segment */
    bool is_open;     /* without token, from any Host */
    void (*run)(const struct admin_call *call);
};

/* The context is the struct control. */
extern const struct admin_events control_admin_events;

/* Rows end with a NULL path. */
extern const struct admin_route admin_routes[];

#endif
