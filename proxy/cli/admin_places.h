/* Which proxies a command speaks to, and with which token. */
#ifndef CLI_ADMIN_PLACES_H
#define CLI_ADMIN_PLACES_H

#include "proxy/cli/command.h"

enum { ADMIN_PLACES_MAX = 64 };

struct admin_place {
    char *address; /* "127.0.0.1:9901", "unix:/path", "host:9901" */
    char *token;   /* NULL: none is known, or none is needed */
    bool is_one_of_many;
};

struct admin_places {
    struct admin_place items[ADMIN_PLACES_MAX];
    size_t count;
};

/*
 * From --admin, else STRANGLER_ADMIN, else the configuration's `admin`; with the token of
 * STRANGLER_ADMIN_TOKEN_FILE, else of the configuration's state_dir. EXIT_DONE, or another status
 * after saying why. To be freed with admin_places_done in either case.
 */
int admin_places_find(const struct invocation *invocation, struct admin_places *ret_places);

/* The same, but EXIT_UNREACHABLE without a word when nothing names a proxy. */
int admin_places_find_if_named(const struct invocation *invocation,
                               struct admin_places *ret_places);
void admin_places_done(struct admin_places *places);

#endif
