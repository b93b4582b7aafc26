/*
 * Who may use the admin address. A Unix socket is guarded by its file's mode. Over TCP a request
 * needs the token that stands in `state_dir`, and a Host that is an address of ours: a page in an
 * operator's browser whose name was pointed at us (DNS rebinding) has another one. Control thread.
 */
#ifndef CONTROL_ADMIN_ACCESS_H
#define CONTROL_ADMIN_ACCESS_H

#include "proxy/core/fault.h"
#include "proxy/net/address.h"

enum { ADMIN_TOKEN_BYTES_MIN = 16, ADMIN_TOKEN_BYTES_MAX = 256 };

struct admin_access {
    bool by_token; /* else by the mode of the socket's file */
    struct address address;
    char token[ADMIN_TOKEN_BYTES_MAX + 1];
};

/* Makes `state_dir` and the token's file (mode 0600) when they are not there. */
bool admin_access_init(struct admin_access *access, const struct address *address,
                       const char *state_dir, struct fault *fault);

/* The fields `Authorization` and `Host` of a request, or NULL. 0 when they will do; else 401 or 403
 * with the reason for a person. */
int admin_access_check(const struct admin_access *access, const char *authorization,
                       const char *host, const char **ret_detail);

/* Reads the token of a file; also for clients of this address. */
bool admin_token_read(const char *path, char token[static ADMIN_TOKEN_BYTES_MAX + 1],
                      struct fault *fault);

#endif
