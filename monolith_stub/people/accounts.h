/*
 * What people do with their accounts. Each function is one transaction; its outcome is worded by
 * the faces. account_register and account_log_in hash a password.
 */
#ifndef MONOLITH_ACCOUNTS_H
#define MONOLITH_ACCOUNTS_H

#include "monolith_stub/forum.h"
#include "monolith_stub/outcome.h"
#include "monolith_stub/people/visitor.h"
#include "monolith_stub/text.h"

struct account_form {
    struct text_view username;
    struct text_view password;
    struct text_view name;
};

/* Both: *ret_sid is the new session's token, the outcome's id the user's. */
struct outcome account_register(struct forum *forum, const struct account_form *form,
                                struct token *ret_sid);
struct outcome account_log_in(struct forum *forum, const struct account_form *form,
                              struct token *ret_sid);

struct outcome account_log_out(struct forum *forum, const struct visitor *visitor);

/* A part that is NULL stays as it is. */
struct outcome profile_edit(struct forum *forum, const struct visitor *visitor, int64_t user,
                            const struct text_view *name, const struct text_view *bio);

#endif
