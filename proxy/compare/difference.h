/*
 * What two answers differ in: a short, bounded list. A field is named the same way in every answer
 * (indices as "[*]"), so that differences of many requests can be grouped. One thread.
 */
#ifndef COMPARE_DIFFERENCE_H
#define COMPARE_DIFFERENCE_H

#include "proxy/core/arena.h"

enum difference_kind {
    DIFFERENCE_STATUS,
    DIFFERENCE_HEADER,
    DIFFERENCE_TYPE,    /* a number here, a text there */
    DIFFERENCE_MISSING, /* the first answer has it, the second does not */
    DIFFERENCE_EXTRA,   /* the second has it, the first does not */
    DIFFERENCE_VALUE,
    DIFFERENCE_ORDER,  /* the same elements in another order */
    DIFFERENCE_LENGTH, /* another number of elements or bytes */
    DIFFERENCE_KIND_COUNT
};

/* "status", "header", … */
struct strview difference_kind_name(enum difference_kind kind);

enum { DIFFERENCES_MAX = 50, DIFFERENCE_EXCERPT_BYTES = 200, FIELD_PATH_BYTES = 256 };

struct difference {
    enum difference_kind kind;
    struct strview field;
    struct strview first; /* excerpts: the beginning of what stands there */
    struct strview second;
};

struct difference_list {
    struct arena *arena; /* has the texts */
    struct difference items[DIFFERENCES_MAX];
    uint32_t count;
    bool more; /* there were others */
};

void difference_list_init(struct difference_list *list, struct arena *arena);

/* Copies field and excerpts. The same field and kind once more changes nothing. */
void difference_add(struct difference_list *list, enum difference_kind kind, struct strview field,
                    struct strview first, struct strview second);

/* The name of the place where a walk through an answer is. Too long a name ends in "…". */
struct field_path {
    char text[FIELD_PATH_BYTES];
    size_t length;
    bool full;
};

void field_path_init(struct field_path *path, struct strview root);

/* Adds to the name. */
void field_path_append(struct field_path *path, struct strview text);
struct strview field_path_view(const struct field_path *path);

/* Goes one step down: a member, or any element of an array. Give what it returns to leave. */
size_t field_path_enter_member(struct field_path *path, struct strview name);
size_t field_path_enter_element(struct field_path *path);
void field_path_leave(struct field_path *path, size_t mark);

#endif
