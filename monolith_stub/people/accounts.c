#include "monolith_stub/people/accounts.h"

#include <string.h>

#include "monolith_stub/clock.h"
#include "monolith_stub/feeds/outbox.h"
#include "monolith_stub/feeds/owned_write.h"
#include "monolith_stub/input/field_check.h"
#include "monolith_stub/people/password.h"
#include "monolith_stub/people/session.h"
#include "monolith_stub/store_pool.h"

static struct outcome check_new_account(const struct account_form *form)
{
    const char *fault = check_username(form->username);
    if (fault != NULL)
        return outcome_field_fault("username", fault);
    fault = check_password(form->password);
    if (fault != NULL)
        return outcome_field_fault("password", fault);
    fault = check_name(form->name);
    if (fault != NULL)
        return outcome_field_fault("name", fault);
    return outcome_of(OUTCOME_DONE);
}

static bool is_taken(struct store *store, struct text_view username, bool *ret_taken)
{
    sqlite3_stmt *query = store_begin(store, QUERY_USERNAME_TAKEN);
    store_bind_text(query, 1, username.bytes, username.length);
    *ret_taken = store_next(query);
    return store_end(query);
}

static bool add_user(struct store *store, const struct account_form *form, int64_t *ret_id)
{
    sqlite3_stmt *query = store_begin(store, QUERY_USER_ADD);
    store_bind_text(query, 1, form->username.bytes, form->username.length);
    store_bind_text(query, 2, form->name.bytes, form->name.length);
    sqlite3_bind_int64(query, 3, clock_wall_ms());
    if (!store_run(query))
        return false;
    *ret_id = sqlite3_last_insert_rowid(store->database);
    return outbox_put(store, FEED_USERS, *ret_id);
}

static bool add_account(struct store *store, const struct account_form *form,
                        const struct password_hash *hash, int64_t id)
{
    sqlite3_stmt *query = store_begin(store, QUERY_ACCOUNT_ADD);
    sqlite3_bind_int64(query, 1, id);
    store_bind_text(query, 2, form->username.bytes, form->username.length);
    sqlite3_bind_blob(query, 3, hash->salt, sizeof(hash->salt), SQLITE_STATIC);
    sqlite3_bind_blob(query, 4, hash->hash, sizeof(hash->hash), SQLITE_STATIC);
    sqlite3_bind_int64(query, 5, hash->n);
    sqlite3_bind_int64(query, 6, hash->r);
    sqlite3_bind_int64(query, 7, hash->p);
    return store_run(query) && outbox_put(store, FEED_ACCOUNTS, id);
}

static struct outcome add_all(struct store *store, const struct account_form *form,
                              const struct password_hash *hash, struct token *ret_sid)
{
    struct outcome outcome = outcome_of(OUTCOME_DONE);
    bool taken = false;
    if (!is_taken(store, form->username, &taken))
        return outcome_of(OUTCOME_BROKEN);
    if (taken)
        return outcome_field_fault("username", "This user name is taken.");
    if (!add_user(store, form, &outcome.id) || !add_account(store, form, hash, outcome.id) ||
        !session_add(store, outcome.id, ret_sid))
        return outcome_of(OUTCOME_BROKEN);
    return outcome;
}

struct outcome account_register(struct forum *forum, const struct account_form *form,
                                struct token *ret_sid)
{
    struct outcome outcome = check_new_account(form);
    if (outcome.kind != OUTCOME_DONE)
        return outcome;
    struct password_hash hash;
    if (!password_hash_new(form->password, &hash))
        return outcome_of(OUTCOME_BROKEN);
    struct store *store = owned_write_begin(forum, AGGREGATE_USERS, &outcome);
    if (store == NULL)
        return outcome;
    return owned_write_end(forum, add_all(store, form, &hash, ret_sid));
}

static bool read_blob(sqlite3_stmt *row, int column, unsigned char *room, int size)
{
    if (sqlite3_column_bytes(row, column) != size)
        return false;
    memcpy(room, sqlite3_column_blob(row, column), (size_t)size);
    return true;
}

/* Without an account it gives a hash that nothing fits, so that the answer takes as long. */
static int64_t find_account(struct forum *forum, struct text_view username,
                            struct password_hash *ret_hash)
{
    *ret_hash = (struct password_hash){.n = PASSWORD_N, .r = PASSWORD_R, .p = PASSWORD_P};
    int64_t id = 0;
    struct store *store = store_pool_take(forum->pool);
    sqlite3_stmt *query = store_begin(store, QUERY_ACCOUNT);
    store_bind_text(query, 1, username.bytes, username.length);
    if (store_next(query) && read_blob(query, 1, ret_hash->salt, PASSWORD_SALT_BYTES) &&
        read_blob(query, 2, ret_hash->hash, PASSWORD_HASH_BYTES)) {
        id = sqlite3_column_int64(query, 0);
        ret_hash->n = sqlite3_column_int64(query, 3);
        ret_hash->r = sqlite3_column_int64(query, 4);
        ret_hash->p = sqlite3_column_int64(query, 5);
    }
    store_end(query);
    store_pool_give_back(forum->pool, store);
    return id;
}

struct outcome account_log_in(struct forum *forum, const struct account_form *form,
                              struct token *ret_sid)
{
    struct password_hash hash;
    int64_t id = find_account(forum, form->username, &hash);
    if (form->password.length > 200 || !password_fits(form->password, &hash) || id == 0)
        return outcome_of(OUTCOME_WRONG_PASSWORD);
    struct outcome outcome;
    struct store *store = owned_write_begin(forum, AGGREGATE_USERS, &outcome);
    if (store == NULL)
        return outcome;
    outcome = outcome_of(session_add(store, id, ret_sid) ? OUTCOME_DONE : OUTCOME_BROKEN);
    outcome.id = id;
    return owned_write_end(forum, outcome);
}

struct outcome account_log_out(struct forum *forum, const struct visitor *visitor)
{
    struct token_hex hash;
    if (visitor->user == 0)
        return visitor_refusal(visitor);
    if (!token_hash(&visitor->sid, &hash))
        return outcome_of(OUTCOME_BROKEN);
    struct outcome outcome;
    struct store *store = owned_write_begin(forum, AGGREGATE_USERS, &outcome);
    if (store == NULL)
        return outcome;
    bool deleted = session_delete(store, hash.text);
    return owned_write_end(forum, outcome_of(deleted ? OUTCOME_DONE : OUTCOME_BROKEN));
}

static struct outcome change_profile(struct store *store, int64_t user,
                                     const struct text_view *name, const struct text_view *bio)
{
    sqlite3_stmt *row = store_begin(store, QUERY_PROFILE);
    sqlite3_bind_int64(row, 1, user);
    bool found = store_next(row);
    sqlite3_stmt *update = store_begin(store, QUERY_USER_EDIT);
    if (found) {
        sqlite3_bind_value(update, 2, sqlite3_column_value(row, 2));
        sqlite3_bind_value(update, 3, sqlite3_column_value(row, 3));
    }
    if (!store_end(row))
        return outcome_of(OUTCOME_BROKEN);
    if (!found)
        return outcome_of(OUTCOME_NOT_FOUND);
    sqlite3_bind_int64(update, 1, user);
    if (name != NULL)
        store_bind_text(update, 2, name->bytes, name->length);
    if (bio != NULL)
        store_bind_text(update, 3, bio->bytes, bio->length);
    bool changed = store_run(update) && outbox_put(store, FEED_USERS, user);
    struct outcome outcome = outcome_of(changed ? OUTCOME_DONE : OUTCOME_BROKEN);
    outcome.id = user;
    return outcome;
}

struct outcome profile_edit(struct forum *forum, const struct visitor *visitor, int64_t user,
                            const struct text_view *name, const struct text_view *bio)
{
    if (visitor->user == 0)
        return visitor_refusal(visitor);
    if (visitor->user != user)
        return outcome_of(OUTCOME_NOT_YOURS);
    const char *fault = name != NULL ? check_name(*name) : NULL;
    if (fault != NULL)
        return outcome_field_fault("name", fault);
    fault = bio != NULL ? check_bio(*bio) : NULL;
    if (fault != NULL)
        return outcome_field_fault("bio", fault);
    struct outcome outcome;
    struct store *store = owned_write_begin(forum, AGGREGATE_USERS, &outcome);
    if (store == NULL)
        return outcome;
    return owned_write_end(forum, change_profile(store, user, name, bio));
}
