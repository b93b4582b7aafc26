#include "monolith_stub/talk/threads.h"

#include "monolith_stub/clock.h"
#include "monolith_stub/feeds/outbox.h"
#include "monolith_stub/feeds/owned_write.h"
#include "monolith_stub/input/field_check.h"

bool category_find(struct store *store, struct text_view slug, int64_t *ret_id)
{
    sqlite3_stmt *query = store_begin(store, QUERY_CATEGORY);
    store_bind_text(query, 1, slug.bytes, slug.length);
    *ret_id = store_next(query) ? sqlite3_column_int64(query, 0) : 0;
    return store_end(query);
}

static struct outcome add(struct store *store, int64_t user, struct text_view category,
                          struct text_view title)
{
    int64_t category_id;
    if (!category_find(store, category, &category_id))
        return outcome_of(OUTCOME_BROKEN);
    if (category_id == 0)
        return outcome_field_fault("category", "There is no such category.");
    sqlite3_stmt *query = store_begin(store, QUERY_THREAD_ADD);
    store_bind_text(query, 1, title.bytes, title.length);
    sqlite3_bind_int64(query, 2, user);
    sqlite3_bind_int64(query, 3, category_id);
    sqlite3_bind_int64(query, 4, clock_wall_ms());
    if (!store_run(query))
        return outcome_of(OUTCOME_BROKEN);
    struct outcome outcome = {.kind = OUTCOME_DONE,
                              .id = sqlite3_last_insert_rowid(store->database)};
    return outbox_put(store, FEED_THREADS, outcome.id) ? outcome : outcome_of(OUTCOME_BROKEN);
}

struct outcome thread_add(struct forum *forum, const struct visitor *visitor,
                          struct text_view category, struct text_view title)
{
    if (visitor->user == 0)
        return visitor_refusal(visitor);
    const char *fault = check_title(title);
    if (fault != NULL)
        return outcome_field_fault("title", fault);
    struct outcome outcome;
    struct store *store = owned_write_begin(forum, AGGREGATE_THREADS, &outcome);
    if (store == NULL)
        return outcome;
    return owned_write_end(forum, add(store, visitor->user, category, title));
}
