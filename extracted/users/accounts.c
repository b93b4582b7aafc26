#include "extracted/users/accounts.h"

#include "extracted/service_kit/hex.h"
#include "extracted/service_kit/outbox.h"
#include "extracted/service_kit/owned_write.h"
#include "extracted/service_kit/session.h"
#include "extracted/users/account_fields.h"
#include "extracted/users/password_job.h"
#include "extracted/users/session_row.h"
#include "extracted/users/users_queries.h"

static int64_t now_ms(const struct account_call *call)
{
    return (int64_t)(call->request->now * 1000.);
}

static void bind_view(sqlite3_stmt *query, int index, struct http_view text)
{
    sqlite3_bind_text(query, index, text.length > 0 ? text.bytes : "", (int)text.length,
                      SQLITE_STATIC);
}

static struct outcome check_new_account(const struct account_form *form)
{
    struct outcome outcome = account_check_username(form->username);
    if (outcome.kind == OUTCOME_DONE)
        outcome = account_check_password(form->password);
    if (outcome.kind == OUTCOME_DONE)
        outcome = account_check_name(form->name);
    return outcome;
}

static bool is_taken(struct database *database, struct http_view username, bool *ret_taken)
{
    sqlite3_stmt *query = database_begin(database, QUERY_USERNAME_TAKEN);
    bind_view(query, 1, username);
    *ret_taken = database_next(query);
    return database_end(database, query);
}

static bool put_event(const struct account_call *call, enum users_query query, int64_t id)
{
    const struct feed *feed =
        &users_feeds[query == QUERY_ACCOUNT_EVENT ? FEED_ACCOUNTS : FEED_USERS];
    sqlite3_stmt *row = database_begin(call->database, query);
    sqlite3_bind_int64(row, 1, id);
    return outbox_put_row(call->database, feed, row, now_ms(call));
}

static bool add_user(const struct account_call *call, const struct account_form *form,
                     int64_t *ret_id)
{
    sqlite3_stmt *query = database_begin(call->database, QUERY_USER_ADD);
    bind_view(query, 1, form->username);
    bind_view(query, 2, form->name);
    sqlite3_bind_int64(query, 3, now_ms(call));
    return database_run_returning(call->database, query, ret_id) &&
           put_event(call, QUERY_USER_EVENT, *ret_id);
}

static bool add_account(const struct account_call *call, const struct account_form *form,
                        const struct password_hash *hash, int64_t id)
{
    char salt[2 * PASSWORD_SALT_BYTES + 1];
    char digest[2 * PASSWORD_HASH_BYTES + 1];
    hex_write(hash->salt, sizeof(hash->salt), salt);
    hex_write(hash->hash, sizeof(hash->hash), digest);
    sqlite3_stmt *query = database_begin(call->database, QUERY_PUT_ACCOUNT);
    sqlite3_bind_int64(query, 1, id);
    bind_view(query, 2, form->username);
    sqlite3_bind_text(query, 3, salt, -1, SQLITE_STATIC);
    sqlite3_bind_text(query, 4, digest, -1, SQLITE_STATIC);
    sqlite3_bind_int64(query, 5, hash->n);
    sqlite3_bind_int64(query, 6, hash->r);
    sqlite3_bind_int64(query, 7, hash->p);
    return database_run(call->database, query) && put_event(call, QUERY_ACCOUNT_EVENT, id);
}

/* Inside the transaction. */
static struct outcome add_all(const struct account_call *call, const struct account_form *form,
                              const struct password_hash *hash, struct token *ret_sid)
{
    struct outcome outcome = outcome_of(OUTCOME_DONE);
    bool taken = false;
    if (!is_taken(call->database, form->username, &taken))
        return outcome_of(OUTCOME_BROKEN);
    if (taken)
        return outcome_field_fault("username", "This user name is taken.");
    if (!add_user(call, form, &outcome.id) || !add_account(call, form, hash, outcome.id) ||
        !session_row_add(call->database, outcome.id, now_ms(call), ret_sid))
        return outcome_of(OUTCOME_BROKEN);
    return outcome;
}

bool account_register(const struct account_call *call, const struct account_form *form,
                      struct token *ret_sid, struct outcome *ret_outcome)
{
    struct password_work work = {.is_new = true};
    *ret_outcome = check_new_account(form);
    if (ret_outcome->kind != OUTCOME_DONE)
        return true;
    if (!password_job_run(call->request, call->reply, form->password, &work))
        return false;
    if (!work.is_good)
        *ret_outcome = outcome_of(OUTCOME_BROKEN);
    else if (owned_write_open(call->database, call->request, ret_outcome))
        *ret_outcome = owned_write_close(call->database, add_all(call, form, &work.hash, ret_sid));
    return true;
}

static bool read_hex(sqlite3_stmt *row, int column, unsigned char *room, size_t size)
{
    size_t length;
    const char *text = database_text(row, column, &length);
    return hex_read((struct http_view){text, length}, room, size);
}

/* Without an account it is a hash that nothing fits, so that the answer takes as long. */
static bool find_account(struct database *database, struct http_view username,
                         struct password_work *ret_work)
{
    struct password_work work = {.hash = password_hash_of_nobody()};
    struct password_hash found;
    sqlite3_stmt *row = database_begin(database, QUERY_ACCOUNT);
    bind_view(row, 1, username);
    if (database_next(row) && read_hex(row, 1, found.salt, sizeof(found.salt)) &&
        read_hex(row, 2, found.hash, sizeof(found.hash))) {
        found.n = sqlite3_column_int64(row, 3);
        found.r = sqlite3_column_int64(row, 4);
        found.p = sqlite3_column_int64(row, 5);
        work.hash = found;
        work.account = sqlite3_column_int64(row, 0);
    }
    *ret_work = work;
    return database_end(database, row);
}

static struct outcome open_session(const struct account_call *call, int64_t user,
                                   struct token *ret_sid)
{
    struct outcome outcome;
    if (!owned_write_open(call->database, call->request, &outcome))
        return outcome;
    bool is_added = session_row_add(call->database, user, now_ms(call), ret_sid);
    outcome = outcome_of(is_added ? OUTCOME_DONE : OUTCOME_BROKEN);
    outcome.id = user;
    return owned_write_close(call->database, outcome);
}

bool account_log_in(const struct account_call *call, const struct account_form *form,
                    struct token *ret_sid, struct outcome *ret_outcome)
{
    struct password_work work;
    *ret_outcome = outcome_of(OUTCOME_WRONG_PASSWORD);
    if (form->password.length > PASSWORD_LONGEST)
        return true;
    if (!find_account(call->database, form->username, &work)) {
        *ret_outcome = outcome_of(OUTCOME_BROKEN);
        return true;
    }
    if (!password_job_run(call->request, call->reply, form->password, &work))
        return false;
    if (work.is_good && work.account != 0)
        *ret_outcome = open_session(call, work.account, ret_sid);
    return true;
}

struct outcome account_log_out(const struct account_call *call, int64_t user)
{
    struct http_view sid;
    struct outcome outcome;
    char hash[SESSION_HASH_LENGTH + 1];
    if (user == 0 || !session_read_cookie(call->request->cookies, "sid", &sid))
        return outcome_of(OUTCOME_NOT_LOGGED_IN);
    if (!session_hash(sid, hash))
        return outcome_of(OUTCOME_BROKEN);
    if (!owned_write_open(call->database, call->request, &outcome))
        return outcome;
    bool is_deleted = session_row_delete(call->database, hash, now_ms(call));
    return owned_write_close(call->database,
                             outcome_of(is_deleted ? OUTCOME_DONE : OUTCOME_BROKEN));
}

static bool exists(struct database *database, int64_t id)
{
    sqlite3_stmt *row = database_begin(database, QUERY_USERNAME);
    sqlite3_bind_int64(row, 1, id);
    bool found = database_next(row);
    return database_end(database, row) && found;
}

/* Inside the transaction. */
static struct outcome change_profile(const struct account_call *call,
                                     const struct profile_form *form)
{
    if (!exists(call->database, form->id))
        return outcome_of(OUTCOME_NOT_FOUND);
    sqlite3_stmt *query = database_begin(call->database, QUERY_USER_EDIT);
    sqlite3_bind_int64(query, 1, form->id);
    if (form->name != NULL)
        bind_view(query, 2, *form->name);
    if (form->bio != NULL)
        bind_view(query, 3, *form->bio);
    bool is_changed =
        database_run(call->database, query) && put_event(call, QUERY_USER_EVENT, form->id);
    struct outcome outcome = outcome_of(is_changed ? OUTCOME_DONE : OUTCOME_BROKEN);
    outcome.id = form->id;
    return outcome;
}

struct outcome profile_edit(const struct account_call *call, int64_t user,
                            const struct profile_form *form)
{
    struct outcome outcome = outcome_of(OUTCOME_DONE);
    if (user == 0)
        return outcome_of(OUTCOME_NOT_LOGGED_IN);
    if (user != form->id)
        return outcome_of(OUTCOME_NOT_YOURS);
    if (form->name != NULL)
        outcome = account_check_name(*form->name);
    if (outcome.kind == OUTCOME_DONE && form->bio != NULL)
        outcome = account_check_bio(*form->bio);
    if (outcome.kind != OUTCOME_DONE || !owned_write_open(call->database, call->request, &outcome))
        return outcome;
    return owned_write_close(call->database, change_profile(call, form));
}
