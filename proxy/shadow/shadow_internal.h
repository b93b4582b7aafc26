/*
 * The shadow from inside: shared by shadow.c (its life), shadow_copy.c (the request) and what
 * judges it.
 */
#ifndef SHADOW_SHADOW_INTERNAL_H
#define SHADOW_SHADOW_INTERNAL_H

#include "proxy/shadow/shadow.h"

/* The answers to one request, by whom and when they were asked. */
enum shadow_answer {
    ANSWER_FIRST,    /* the client's */
    ANSWER_SECOND,   /* the shadow's */
    ANSWER_BASELINE, /* the first side's once more, at the same time */
    ANSWER_CONFIRM_FIRST,
    ANSWER_CONFIRM_SECOND,
    ANSWER_COUNT
};

enum shadow_phase { SHADOW_COPYING, SHADOW_ASKING, SHADOW_JUDGING, SHADOW_CONFIRMING };

enum { SHADOW_CONFIRMATIONS_MAX = 2, SHADOW_CONFIRM_DELAY_MS = 200 };

struct shadow {
    struct list node; /* in the environment's live */
    struct shadow *next_in_queue;
    struct shadow_environment *environment;
    const struct shadow_policy *policy;
    struct shadow_holder holder;
    struct shadow_memory memory;
    enum shadow_phase phase;
    struct shadow **slot; /* where the exchange that feeds it has it; NULL: none does */
    bool counted;         /* as sent or dropped */

    /* the request, copied */
    const struct backend *backends[2]; /* first, second */
    struct shadow_rest *rest;          /* of the second side */
    struct backend_request requests[2];
    struct headers headers[2];
    struct strview original_path; /* that the client asked for */
    struct strview route;
    struct strview request_id;
    bool is_write;
    bool request_whole;
    bool conditional; /* or for a range: the answers are not comparable */
    uint64_t random;
    struct capture body; /* its bytes only */

    struct capture answers[ANSWER_COUNT];
    struct ask asks[ANSWER_COUNT]; /* none for ANSWER_FIRST */
    enum ask_end ends[ANSWER_COUNT];
    uint32_t pending; /* asks under way */
    struct task start;
    struct deadline deadline; /* of the phase; in CONFIRMING when to ask */
    uint32_t confirmations;   /* rounds asked so far */
    bool has_baseline;
    uint64_t unix_ms;
    uint64_t began_us;
};

/* Frees it, with all it holds. Any thread; nothing may be under way. */
void shadow_free(struct shadow *shadow);

/* The compare thread has decided that both sides are asked once more. The worker's thread. */
void shadow_confirm(struct shadow *shadow);

/* --- shadow_copy.c ------------------------------------------------------------------------- */

/* Copies all of the request that a copy needs, but its body. */
void shadow_copy_request(struct shadow *shadow, const struct shadow_request *request);

/* A field of our own in the copy for one of the sides: 0 the first, 1 the second. */
void shadow_add_field(struct shadow *shadow, size_t side, const char *name, struct strview value);

#endif
