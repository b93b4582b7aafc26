/*
 * From a method and a path to the function that answers. The rules are this forum's own: letter
 * case does not matter, one trailing slash is allowed, nothing is decoded or normalised, so that
 * `//api`, `/api/./users` and `/%61pi` are no paths of ours. Pure; any thread.
 */
#ifndef MONOLITH_ROUTE_H
#define MONOLITH_ROUTE_H

#include "monolith_stub/forum.h"
#include "monolith_stub/reply.h"
#include "monolith_stub/request.h"
#include "monolith_stub/store_pool.h"

typedef void route_answer(struct forum *forum, const struct request *request, struct reply *reply);

/* Where an answer is made. */
enum route_work {
    WORK_AT_ONCE,  /* on the web server's thread: reads only */
    WORK_WRITES,   /* waits for the disk, or asks the other side */
    WORK_PASSWORD, /* computes a password's hash: long, and a lot of memory */
};

/* GET stands for HEAD too. A pattern is a path in lower case; {} takes one segment. */
struct route {
    const char *method;
    const char *pattern;
    route_answer *answer;
    enum route_work work;
    bool wants_visitor;
    bool is_control;      /* no knob touches it */
    bool is_about_thread; /* its first parameter is the id of one */
};

/* Whether the request's path fits; if so its parameters are set. */
bool route_match(const char *pattern, struct request *request);

/* The route that takes the request, whose parameters are then set; NULL: there is none. */
const struct route *route_find(const struct route *routes, size_t count, struct request *request);

/* Fills the reply where there is no route: by OPTIONS on a known path (204), another method on
 * it (405), a method we do not know (501), an unknown path (404). */
void route_answer_without(const struct route *routes, size_t count, struct request *request,
                          struct reply *reply);

#endif
