/*
 * A copy of one answer, for comparison: head and as much of the body as may be kept. Owned by a
 * shadow; one thread at a time.
 */
#ifndef SHADOW_CAPTURE_H
#define SHADOW_CAPTURE_H

#include "proxy/http/message.h"
#include "proxy/shadow/budget.h"

struct capture {
    struct shadow_memory *memory;
    size_t bytes_max;
    int status; /* 0: no head came */
    struct headers headers;
    char *bytes;
    size_t length;
    size_t capacity; /* taken from the budget */
    bool whole;      /* the answer has ended as it should */
    bool cut_off;    /* more came than may be kept */
    uint64_t duration_us;
};

/* `memory` is the shadow's, and outlives the capture. */
void capture_init(struct capture *capture, struct shadow_memory *memory, size_t bytes_max);
void capture_done(struct capture *capture);

/* Copies status and fields; without room for them, or for the body that they announce, the answer
 * counts as cut off. */
void capture_head(struct capture *capture, const struct response_head *head);

/* Copies; past what may be kept the rest is dropped and the answer counts as cut off. */
void capture_body(struct capture *capture, const char *data, size_t length);

#endif
