/*
 * Reads the members of a POST's JSON object: each is known and of its kind, or the request is
 * refused with 422 and nothing has happened. Control thread.
 */
#ifndef CONTROL_ADMIN_BODY_H
#define CONTROL_ADMIN_BODY_H

#include "proxy/control/admin_routes.h"

enum body_kind {
    BODY_TEXT,    /* struct strview, borrowed from the body; printable */
    BODY_FLAG,    /* bool */
    BODY_NUMBER,  /* uint64_t */
    BODY_PERCENT, /* uint32_t, in buckets */
    BODY_STAGE,   /* enum stage */
    BODY_SIDE,    /* enum write_owner: legacy or extracted */
    BODY_TEXTS,   /* const json_t *, an array of texts */
};

struct body_key {
    const char *name;
    enum body_kind kind;
    bool is_required;
    size_t offset;  /* in the target */
    size_t longest; /* of a text, in bytes; 0: BODY_TEXT_BYTES_MAX */
};

enum { BODY_TEXT_BYTES_MAX = 16 * 1024 };

/* Fills `target`, whose members of absent keys stay. Keys end with a NULL name. False: answered. */
bool admin_body_read(const struct admin_call *call, const struct body_key *keys, void *target);

/* The header If-Match as a generation, 0 without one. False: answered. */
bool admin_if_match(const struct admin_call *call, uint64_t *ret_generation);

#endif
