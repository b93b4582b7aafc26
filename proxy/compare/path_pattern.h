/*
 * Places in a JSON tree, as `ignore` and `unordered` name them: "$.viewcount", "$..timestamp",
 * "$.items[*].id", "$.rows[0]", "$['odd name']". Compiled once, then followed step by step while a
 * tree is walked. Compiled lists are const for all threads; a cursor belongs to one walk.
 */
#ifndef COMPARE_PATH_PATTERN_H
#define COMPARE_PATH_PATTERN_H

#include "proxy/core/strview.h"

enum { PATH_PATTERNS_MAX = 32, PATH_PATTERN_STEPS_MAX = 24 };

struct path_step {
    bool deep;  /* "..": also below whatever lies between */
    bool any;   /* "*" */
    bool index; /* [N] */
    uint32_t number;
    struct strview name;
};

struct path_pattern {
    struct path_step steps[PATH_PATTERN_STEPS_MAX];
    uint32_t count;
};

struct path_pattern_list {
    const struct path_pattern *items;
    uint32_t count; /* at most PATH_PATTERNS_MAX */
};

/*
 * Names view `text`. False with *ret_fault (static text) and the offset of the byte that is not
 * understood.
 */
bool path_pattern_compile(struct strview text, struct path_pattern *ret_pattern,
                          const char **ret_fault, size_t *ret_offset);

/* How far each pattern has come: bit i says that its first i steps have been taken. */
struct path_cursor {
    uint32_t taken[PATH_PATTERNS_MAX];
};

void path_cursor_init(struct path_cursor *cursor, const struct path_pattern_list *list);

/* One step down from `from`. Does the place match one of the patterns? */
bool path_cursor_enter_member(const struct path_pattern_list *list, const struct path_cursor *from,
                              struct strview name, struct path_cursor *ret_to);
bool path_cursor_enter_element(const struct path_pattern_list *list, const struct path_cursor *from,
                               uint32_t index, struct path_cursor *ret_to);

#endif
