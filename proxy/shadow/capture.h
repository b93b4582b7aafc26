/*
 * A copy of one answer, for comparison: head and as much of the body as may be kept. What of the
 * body is the same as in another answer is kept once. Owned by a shadow; one thread at a time.
 */
#ifndef SHADOW_CAPTURE_H
#define SHADOW_CAPTURE_H

#include "proxy/http/message.h"
#include "proxy/shadow/budget.h"

struct capture {
    struct shadow_memory *memory;
    const struct capture *model; /* another answer to the same request; NULL: none */
    size_t bytes_max;
    int status;    /* 0: no head came */
    bool whole;    /* the answer has ended as it should */
    bool cut_off;  /* more came than may be kept */
    bool has_heap; /* `bytes` is of the system, and its capacity taken from the budget */
    struct headers headers;
    char *bytes; /* NULL: none, or the first `length` of the model's */
    size_t length;
    size_t capacity; /* of `bytes` */
    uint64_t duration_us;
};

/*
 * `memory` is the shadow's, and outlives the capture; so does `model`. Two captures may be each
 * other's models: the bytes are those of the one that was first to have them.
 */
void capture_init(struct capture *capture, struct shadow_memory *memory,
                  const struct capture *model, size_t bytes_max);
void capture_done(struct capture *capture);

/* Copies status and fields; without room for them, or for the body that they announce, the answer
 * counts as cut off. */
void capture_head(struct capture *capture, const struct response_head *head);

/* The same for a head whose fields lie in the memory's arena already. */
void capture_head_take(struct capture *capture, const struct response_head *head);

/* Copies; past what may be kept the rest is dropped and the answer counts as cut off. */
void capture_body(struct capture *capture, const char *data, size_t length);

/* What has come of the body. Valid until more comes, of either. */
struct strview capture_view(const struct capture *capture);

/* Both are whole and their bodies the same. */
bool capture_bodies_are_same(const struct capture *first, const struct capture *second);

#endif
