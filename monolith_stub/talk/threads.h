/*
 * What people do with threads. One transaction each; its outcome is worded by the faces.
 */
#ifndef MONOLITH_THREADS_H
#define MONOLITH_THREADS_H

#include "monolith_stub/forum.h"
#include "monolith_stub/outcome.h"
#include "monolith_stub/people/visitor.h"
#include "monolith_stub/text.h"

struct store;

/* The outcome's id is the new thread's. An unknown category is a fault of the field. */
struct outcome thread_add(struct forum *forum, const struct visitor *visitor,
                          struct text_view category, struct text_view title);

/* A category's id by its slug, 0 if there is none. False: the fault was logged. */
bool category_find(struct store *store, struct text_view slug, int64_t *ret_id);

#endif
