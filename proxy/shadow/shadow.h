/*
 * A shadow: the copy of one request that goes to the other side of its module, whose answer no
 * client ever sees, and the comparison of the two answers. It owns all that it needs (copies,
 * connections, deadlines, memory under a budget); the exchange only tells it what passes by, and
 * either may end first. It never holds the exchange up.
 *
 *   COPYING    the exchange feeds request and first answer; a request without body is sent at once
 *   ASKING     the second side is asked (and now and then the first once more: the baseline);
 *              answers that are the same to the byte end it
 *   JUDGING    the compare thread has it
 *   CONFIRMING both sides are asked again, since the answers differ
 *
 * Each but JUDGING, whose queue is bounded, has an end by time: an answer by the policy's timeout,
 * what the client's side takes (its request, the first answer) by SHADOW_PATIENCE times that.
 *
 * In one worker's thread, but while JUDGING: then the compare thread owns it.
 */
#ifndef SHADOW_SHADOW_H
#define SHADOW_SHADOW_H

#include "proxy/observe/metrics.h"
#include "proxy/shadow/ask.h"
#include "proxy/shadow/shadow_inbox.h"
#include "proxy/shadow/shadow_queue.h"
#include "proxy/shadow/shadow_policy.h"

struct shadow;
struct judge;

enum { SHADOW_PATIENCE = 10 };

/* What the shadows of one worker share. Owned by the worker. */
struct shadow_environment {
    struct io *io;
    struct backend_pools pools;    /* of their own: no client waits for a shadow's connection */
    struct metrics_shard *metrics; /* borrowed */
    struct shadow_budget *budget;  /* borrowed, of all workers */
    struct judge *judge;           /* borrowed */
    struct shadow_inbox inbox;     /* shadows that come back from the compare thread */
    struct shadow_queue judged;    /* of this turn: they go to the compare thread at its end */
    struct task hand_over;
    struct list live;  /* all that this thread owns */
    struct list ready; /* those of them that go at the end of this turn, */
    struct task start; /* when all else has gone that was to go at its end */
    bool waited_for_others;
    uint64_t undecided; /* sampled, and neither sent nor dropped yet */
    bool shedding;      /* the process is about to end: no new ones */
};

void shadow_environment_init(struct shadow_environment *environment, struct io *io);

/* Shadows that come back from the compare thread go on; called when the loop was woken. */
void shadow_environment_receive(struct shadow_environment *environment);

/* Begins no other from now on; those under way go on. */
void shadow_environment_shed(struct shadow_environment *environment);

/* Ends every shadow that this thread owns, and begins no other. */
void shadow_environment_stop(struct shadow_environment *environment);

/* After stop, and when the compare thread has ended. */
void shadow_environment_done(struct shadow_environment *environment);

/* What keeps the policy and the backends alive while there is a shadow; released in any thread. */
struct shadow_holder {
    void *object;
    void (*hold)(void *object);
    void (*release)(void *object);
};

struct shadow_request {
    const struct shadow_policy *policy;
    const struct backend *first_backend; /* the one that the client's request goes to */
    const struct backend *second_backend;
    enum side second_side;
    struct strview original_path; /* without query, as the next two: what the client asked for */
    struct strview first_path;    /* as sent */
    struct strview second_path;
    struct strview route; /* lives as long as what the holder holds */
    bool is_write;
    bool is_upgrade;
    /* As it goes to the first side; all of it is copied. Its path is not looked at. */
    const struct backend_request *request;
    struct strview request_id;
    uint64_t random;
    struct shadow_holder holder; /* held when a shadow comes of it */
};

/*
 * Begins a shadow for a request that the plan has sampled, in *slot, which has to be NULL and stays
 * where it is as long as there is a shadow in it. A shadow that ends, at once or during any call
 * below, leaves NULL there; why has been counted. Copies, and sends nothing in this call.
 */
void shadow_begin(struct shadow_environment *environment, const struct shadow_request *request,
                  struct shadow **slot);

/* The request's body as it passes by, and its end. */
void shadow_request_body(struct shadow *shadow, const char *data, size_t length);
void shadow_request_end(struct shadow *shadow);

/* The first side's answer as it passes by: the endpoint's, not what we make of it. */
void shadow_first_head(struct shadow *shadow, const struct response_head *head);
void shadow_first_body(struct shadow *shadow, const char *data, size_t length);
void shadow_first_end(struct shadow *shadow);

/* The exchange is over, with or without an answer: it does not touch the shadow any more. Empties
 * the slot. */
void shadow_let_go(struct shadow *shadow);

#endif
