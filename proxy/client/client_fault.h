/* What clients do wrong or do not finish, for which their connection ends: the `fault` label of
 * strangler_client_faults_total. */
#ifndef CLIENT_CLIENT_FAULT_H
#define CLIENT_CLIENT_FAULT_H

#include "proxy/core/strview.h"

enum client_fault {
    CLIENT_FAULT_HANDSHAKE,     /* TLS failed */
    CLIENT_FAULT_HEAD_TIMEOUT,  /* handshake, preface or header block not in time */
    CLIENT_FAULT_WRITE_TIMEOUT, /* does not read */
    CLIENT_FAULT_PROTOCOL,      /* broke the rules of HTTP/2, or speaks something else */
    CLIENT_FAULT_RESETS,        /* over the allowance of resets */
    CLIENT_FAULT_IDLE_FRAMES,   /* over the allowance of frames that move nothing */
    CLIENT_FAULT_CONNECTIONS,   /* over limits.connections_per_address: closed when accepted */
    CLIENT_FAULT_PAUSED,        /* from an address that limits.address_pause holds off: the same */
    CLIENT_FAULT_GONE,          /* left while it waited to be accepted, and could not be answered */
    CLIENT_FAULT_COUNT
};

/* "handshake", "head_timeout", … */
struct strview client_fault_name(enum client_fault fault);

#endif
