#include "monolith_stub/talk/posts.h"

#include "monolith_stub/clock.h"
#include "monolith_stub/feeds/outbox.h"
#include "monolith_stub/feeds/owned_write.h"
#include "monolith_stub/input/field_check.h"

/* Columns of QUERY_POST_FULL. */
enum { COLUMN_THREAD = 1, COLUMN_USER = 2, COLUMN_LIKED = 8 };

enum post_found post_facts_read(struct store *store, int64_t post, int64_t asker,
                                struct post_facts *ret_facts)
{
    sqlite3_stmt *row = store_begin(store, QUERY_POST_FULL);
    sqlite3_bind_int64(row, 1, post);
    sqlite3_bind_int64(row, 2, asker);
    bool found = store_next(row);
    if (found) {
        ret_facts->thread = sqlite3_column_int64(row, COLUMN_THREAD);
        ret_facts->user = sqlite3_column_int64(row, COLUMN_USER);
        ret_facts->is_liked = sqlite3_column_int(row, COLUMN_LIKED) != 0;
    }
    if (!store_end(row))
        return POST_BROKEN;
    return found ? POST_FOUND : POST_MISSING;
}

/* A change of one post: its statement is bound and run, then its event is written. */
typedef bool change_post(struct store *store, int64_t post, const void *what);

static struct outcome try_change(struct store *store, int64_t post, int64_t author,
                                 change_post *change, const void *what)
{
    struct post_facts facts;
    switch (post_facts_read(store, post, 0, &facts)) {
    case POST_MISSING:
        return outcome_of(OUTCOME_NOT_FOUND);
    case POST_BROKEN:
        return outcome_of(OUTCOME_BROKEN);
    case POST_FOUND:
        break;
    }
    if (author != 0 && author != facts.user)
        return outcome_of(OUTCOME_NOT_YOURS);
    struct outcome outcome = {.kind = OUTCOME_DONE, .id = post};
    return change(store, post, what) ? outcome : outcome_of(OUTCOME_BROKEN);
}

/* author 0: anybody who is logged in may. */
static struct outcome change_in_turn(struct forum *forum, int64_t post, int64_t author,
                                     change_post *change, const void *what)
{
    struct outcome outcome;
    struct store *store = owned_write_begin(forum, AGGREGATE_POSTS, &outcome);
    if (store == NULL)
        return outcome;
    return owned_write_end(forum, try_change(store, post, author, change, what));
}

static bool set_text(struct store *store, int64_t post, const void *what)
{
    const struct text_view *text = what;
    sqlite3_stmt *query = store_begin(store, QUERY_POST_EDIT);
    sqlite3_bind_int64(query, 1, post);
    store_bind_text(query, 2, text->bytes, text->length);
    sqlite3_bind_int64(query, 3, clock_wall_ms());
    return store_run(query) && outbox_put(store, FEED_POSTS, post);
}

static bool set_deleted(struct store *store, int64_t post, const void *what)
{
    (void)what;
    sqlite3_stmt *query = store_begin(store, QUERY_POST_DELETE);
    sqlite3_bind_int64(query, 1, post);
    sqlite3_bind_int64(query, 2, clock_wall_ms());
    return store_run(query) && outbox_put(store, FEED_POSTS, post);
}

static bool add_like(struct store *store, int64_t post, const void *what)
{
    const int64_t *user = what;
    sqlite3_stmt *query = store_begin(store, QUERY_LIKE_ADD);
    sqlite3_bind_int64(query, 1, post);
    sqlite3_bind_int64(query, 2, *user);
    sqlite3_bind_int64(query, 3, clock_wall_ms());
    if (!store_run(query))
        return false;
    return sqlite3_changes(store->database) == 0 || outbox_put_like(store, post, *user);
}

static bool remove_like(struct store *store, int64_t post, const void *what)
{
    const int64_t *user = what;
    sqlite3_stmt *query = store_begin(store, QUERY_LIKE_DELETE);
    sqlite3_bind_int64(query, 1, post);
    sqlite3_bind_int64(query, 2, *user);
    if (!store_run(query))
        return false;
    return sqlite3_changes(store->database) == 0 || outbox_delete_like(store, post, *user);
}

static bool thread_exists(struct store *store, int64_t thread, bool *ret_exists)
{
    sqlite3_stmt *row = store_begin(store, QUERY_THREAD);
    sqlite3_bind_int64(row, 1, thread);
    *ret_exists = store_next(row);
    return store_end(row);
}

static struct outcome add(struct store *store, int64_t thread, int64_t user, struct text_view text)
{
    bool exists = false;
    if (!thread_exists(store, thread, &exists))
        return outcome_of(OUTCOME_BROKEN);
    if (!exists)
        return outcome_of(OUTCOME_NOT_FOUND);
    sqlite3_stmt *query = store_begin(store, QUERY_POST_ADD);
    sqlite3_bind_int64(query, 1, thread);
    store_bind_text(query, 2, text.bytes, text.length);
    sqlite3_bind_int64(query, 3, user);
    sqlite3_bind_int64(query, 4, clock_wall_ms());
    if (!store_run(query))
        return outcome_of(OUTCOME_BROKEN);
    struct outcome outcome = {.kind = OUTCOME_DONE,
                              .id = sqlite3_last_insert_rowid(store->database)};
    return outbox_put(store, FEED_POSTS, outcome.id) ? outcome : outcome_of(OUTCOME_BROKEN);
}

static struct outcome check_write(const struct visitor *visitor, const struct text_view *text)
{
    if (visitor->user == 0)
        return visitor_refusal(visitor);
    const char *fault = text != NULL ? check_text(*text) : NULL;
    return fault == NULL ? outcome_of(OUTCOME_DONE) : outcome_field_fault("text", fault);
}

struct outcome post_add(struct forum *forum, const struct visitor *visitor, int64_t thread,
                        struct text_view text)
{
    struct outcome outcome = check_write(visitor, &text);
    if (outcome.kind != OUTCOME_DONE)
        return outcome;
    struct store *store = owned_write_begin(forum, AGGREGATE_POSTS, &outcome);
    if (store == NULL)
        return outcome;
    return owned_write_end(forum, add(store, thread, visitor->user, text));
}

struct outcome post_edit(struct forum *forum, const struct visitor *visitor, int64_t post,
                         struct text_view text)
{
    struct outcome outcome = check_write(visitor, &text);
    if (outcome.kind != OUTCOME_DONE)
        return outcome;
    return change_in_turn(forum, post, visitor->user, set_text, &text);
}

struct outcome post_delete(struct forum *forum, const struct visitor *visitor, int64_t post)
{
    struct outcome outcome = check_write(visitor, NULL);
    if (outcome.kind != OUTCOME_DONE)
        return outcome;
    return change_in_turn(forum, post, visitor->user, set_deleted, NULL);
}

struct outcome post_like(struct forum *forum, const struct visitor *visitor, int64_t post,
                         bool likes)
{
    struct outcome outcome = check_write(visitor, NULL);
    if (outcome.kind != OUTCOME_DONE)
        return outcome;
    return change_in_turn(forum, post, 0, likes ? add_like : remove_like, &visitor->user);
}
