/*
 * What people do with posts. One transaction each; its outcome is worded by the faces.
 */
#ifndef MONOLITH_POSTS_H
#define MONOLITH_POSTS_H

#include "monolith_stub/forum.h"
#include "monolith_stub/outcome.h"
#include "monolith_stub/people/visitor.h"
#include "monolith_stub/text.h"

struct store;

/* The outcome's id is the post's, also of those below. */
struct outcome post_add(struct forum *forum, const struct visitor *visitor, int64_t thread,
                        struct text_view text);

/* Only the author may. A deleted post is not found; its text is gone, its id never comes back. */
struct outcome post_edit(struct forum *forum, const struct visitor *visitor, int64_t post,
                         struct text_view text);
struct outcome post_delete(struct forum *forum, const struct visitor *visitor, int64_t post);

/* Likes it or no longer does; saying it twice changes nothing. */
struct outcome post_like(struct forum *forum, const struct visitor *visitor, int64_t post,
                         bool likes);

/* Where a post stands, and what of it matters to those who write. */
struct post_facts {
    int64_t thread;
    int64_t user;
    bool is_liked; /* by the one who asks */
};

enum post_found { POST_FOUND, POST_MISSING, POST_BROKEN };

/* Broken: the fault was logged. */
enum post_found post_facts_read(struct store *store, int64_t post, int64_t asker,
                                struct post_facts *ret_facts);

#endif
