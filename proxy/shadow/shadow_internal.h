/*
 * The shadow from inside: shared by shadow.c (its life), shadow_copy.c (the request),
 * shadow_settle.c (its way to a verdict) and what judges it.
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
    struct shadow_memory memory; /* the shadow lies in it */
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
    bool conditional;    /* or for a range: the answers are not comparable */
    struct capture body; /* its bytes only */

    struct ask_context context;
    uint32_t asked;           /* bit set of enum shadow_answer: whose members below have been set */
    uint32_t pending;         /* asks under way */
    struct list start;        /* in the environment's ready */
    struct deadline deadline; /* of the phase; in CONFIRMING when to ask */
    uint32_t confirmations;   /* rounds asked so far */
    bool has_baseline;
    uint64_t unix_ms;
    uint64_t began_us;
    enum ask_end ends[ANSWER_COUNT];

    /* Set when they are needed: the first two at once, the others hardly ever. */
    struct capture answers[ANSWER_COUNT];
    struct ask asks[ANSWER_COUNT]; /* none for ANSWER_FIRST */
};

/* Frees it, with all it holds. Any thread; nothing may be under way. */
void shadow_free(struct shadow *shadow);

/* The compare thread has decided that both sides are asked once more. The worker's thread. */
void shadow_confirm(struct shadow *shadow);

/* --- shadow_settle.c ----------------------------------------------------------------------- */

/*
 * All answers are there. The verdict if it can be told without reading them: they are the same to
 * the byte, or not to be compared at all. VERDICT_COUNT: the compare thread has to look at them.
 */
enum verdict shadow_verdict_at_once(const struct shadow *shadow);

/* Counts how long the sides took, in the shard of the calling thread. */
void shadow_observe_times(const struct shadow *shadow, struct metrics_shard *metrics);

/* Goes to the compare thread at the end of the turn, with all others of the turn. Nobody may feed
 * it any more, nor may it ask anybody. */
void shadow_hand_over_take(struct shadow *shadow);

/* Begins what hands over. */
void shadow_hand_over_init(struct shadow_environment *environment);

/* --- shadow_copy.c ------------------------------------------------------------------------- */

/* Copies all of the request that a copy needs, but its body. */
void shadow_copy_request(struct shadow *shadow, const struct shadow_request *request);

/* A field of our own in the copy for one of the sides: 0 the first, 1 the second. */
void shadow_add_field(struct shadow *shadow, size_t side, const char *name, struct strview value);

#endif
