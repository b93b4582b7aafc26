/*
 * What of a module can change while the proxy runs, as numbers for the program and as words for the
 * journal and for people. Pure, any thread.
 */
#ifndef CONTROL_LIVE_VALUE_H
#define CONTROL_LIVE_VALUE_H

#include "proxy/routing/side.h"

enum live_key {
    LIVE_STAGE,       /* enum stage */
    LIVE_PERCENT,     /* buckets */
    LIVE_WRITE_OWNER, /* enum write_owner */
    LIVE_DECLARED_COUNT,
    /* Those above stand in the files, too. */
    LIVE_ABORTED = LIVE_DECLARED_COUNT, /* 0 or 1 */
    LIVE_FROZEN,                        /* until when, Unix time in ms; 0: not */
    LIVE_KEY_COUNT
};

enum {
    LIVE_NAME_BYTES = 101, /* a module's name with its terminator, as the configuration caps it */
    LIVE_WHO_BYTES = 101,
    LIVE_WHY_BYTES = 501,
    LIVE_VALUE_BYTES = 32
};

/* "stage", "percent", "write_owner", "aborted", "frozen" */
struct strview live_key_name(enum live_key key);
bool live_key_parse(struct strview text, enum live_key *ret_key);

/* "ramp", "12.5", "extracted", "yes", "1700000000000". Returns the text. */
const char *live_value_format(enum live_key key, uint64_t value,
                              char text[static LIVE_VALUE_BYTES]);
/* False for what live_value_format would not have written. */
bool live_value_parse(enum live_key key, struct strview text, uint64_t *ret_value);

#endif
