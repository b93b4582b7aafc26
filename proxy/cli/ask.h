/* The same question to every proxy that a command speaks to, and one exit status for all. */
#ifndef CLI_ASK_H
#define CLI_ASK_H

#include "proxy/cli/admin_client.h"

enum { ASK_READ_MS = 15000 };

struct ask {
    const struct invocation *invocation;
    struct admin_question question;
    /* Nothing is changed anywhere while one of them is not there. */
    bool needs_all;
    /* One good answer, for a person. */
    void (*print)(const struct invocation *invocation, const json_t *answer, FILE *out);
};

/* Asks, prints, and says what went wrong; the exit status. */
int ask_all(const struct ask *ask);

/* GET of a page. */
int ask_page(const struct invocation *invocation, const char *path,
             void (*print)(const struct invocation *, const json_t *answer, FILE *out));

/* Of one proxy: says what went wrong, EXIT_DONE when nothing did. */
int ask_status(const struct invocation *invocation, const struct admin_place *place,
               const struct admin_answer_told *told);

/* "" for what is no text; 0 for what is no number; the object itself may be NULL. */
const char *answer_text(const json_t *object, const char *key);
double answer_number(const json_t *object, const char *key);
long long answer_integer(const json_t *object, const char *key);
bool answer_flag(const json_t *object, const char *key);

#endif
