/*
 * {"items":[…],"page":N,"pages":N,"total":N,"degraded":[…]?} — and the bugs that --bug puts in.
 */
#ifndef MONOLITH_JSON_LIST_H
#define MONOLITH_JSON_LIST_H

#include "monolith_stub/input/paging.h"
#include "monolith_stub/knobs.h"
#include "monolith_stub/reply.h"

struct json_list {
    struct text *out;
    enum bug bug;
    bool is_degraded; /* set it if an author is not known */
    unsigned count;
    size_t starts[ID_LIST_LIMIT + 1]; /* where each item begins in out */
};

void json_list_begin(struct json_list *list, struct reply *reply, const struct knobs *knobs);

/* Call it before each item, at most ID_LIST_LIMIT times. */
void json_list_next(struct json_list *list);

/* 200, and everything after the items. */
void json_list_end(struct json_list *list, struct reply *reply, const struct paging *paging);

/* For lists that are one page. */
void json_list_end_whole(struct json_list *list, struct reply *reply);

#endif
