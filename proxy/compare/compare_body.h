/* The parts of a comparison. Internal to this folder. */
#ifndef COMPARE_COMPARE_BODY_H
#define COMPARE_COMPARE_BODY_H

#include "proxy/compare/comparison.h"

struct compare_work {
    const struct compare_rules *rules;
    struct arena *arena; /* until the comparison is over */
    struct difference_list *differences;
    uint64_t left;   /* steps that may still be taken */
    const char *why; /* not NULL: not comparable */
};

/* Pays for `steps`; false when there are none left, and `why` says so. */
static inline bool work_spend(struct compare_work *work, uint64_t steps)
{
    if (work->left < steps) {
        work->why = "too much work";
        work->left = 0;
        return false;
    }
    work->left -= steps;
    return work->why == NULL;
}

void compare_json(struct compare_work *work, struct strview first, struct strview second);
void compare_html(struct compare_work *work, struct strview first, struct strview second);
void compare_bytes(struct compare_work *work, struct strview first, struct strview second);

/* Has it the same values in the same order, or none, in both? */
bool answer_field_is_same(const struct headers *first, const struct headers *second,
                          struct strview name);

void compare_head(struct compare_work *work, const struct compared_answer *first,
                  const struct compared_answer *second);

#endif
