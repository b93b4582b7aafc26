/*
 * What people do with posts. One transaction of rows and events each; its outcome is worded by the
 * faces. The loop's thread.
 */
#ifndef POSTS_WRITE_H
#define POSTS_WRITE_H

#include "extracted/service_kit/json_request.h"
#include "extracted/service_kit/outcome.h"

extern const struct json_field posts_text_field;

struct post_write {
    int64_t user;
    int64_t id;            /* the thread for a new post, else the post */
    struct http_view text; /* was checked; of a new or changed post */
};

typedef struct outcome posts_write(struct database *database, const struct http_request *request,
                                   const struct post_write *write);

/* The outcome's id is the post's, also of those below. The thread has to be known here. */
posts_write posts_add;

/* Only the author may. A deleted post is not found; its text is gone, its id never comes back. */
posts_write posts_edit;
posts_write posts_delete;

/* Saying it twice changes nothing. */
posts_write posts_like;
posts_write posts_unlike;

#endif
