/*
 * A change of the running proxy: what an operator orders by command, and what its answer says. Each
 * is one new generation for all routes of its module, answered when every worker has it and the
 * journal holds it. Control thread.
 */
#ifndef CONTROL_CHANGE_H
#define CONTROL_CHANGE_H

#include "proxy/control/live_value.h"

struct control;

enum change_verb {
    CHANGE_STAGE,    /* module, stage; force: not only to a neighbour */
    CHANGE_PERCENT,  /* module, threshold */
    CHANGE_ABORT,    /* module, or empty for all; with_writes: the writes go back, too */
    CHANGE_RESUME,   /* module, or empty for all */
    CHANGE_WRITES,   /* module, owner, timeout_ms; answers later */
    CHANGE_FREEZE,   /* module, max_wait_ms, ttl_ms; may answer later */
    CHANGE_UNFREEZE, /* module */
    CHANGE_CONFIRM,  /* module */
    CHANGE_UNDO,     /* undo_entry, or 0 for the newest (of `module`, if there is one) */
    CHANGE_RELOAD,   /* may answer later: write owners may have to change */
    CHANGE_SAVE, /* module, or empty for all: the files have just been given the running values */
    /* By the proxy itself: in the journal, never ordered. */
    CHANGE_REVERT, /* what was not confirmed in time goes back */
    CHANGE_THAW,   /* a freeze is over */
    CHANGE_VERB_COUNT
};

/* What stands for 0 in the members below, and the most that they may be. */
enum {
    CHANGE_TIMEOUT_MS = 30 * 1000,
    CHANGE_TIMEOUT_MAX_MS = 10 * 60 * 1000,
    CHANGE_MAX_WAIT_MS = 2 * 1000,
    CHANGE_TTL_MS = 60 * 1000,
    CHANGE_TTL_MAX_MS = 60 * 60 * 1000,
    CHANGE_CONFIRM_MIN_MS = 1000,
    CHANGE_CONFIRM_MAX_MS = 7 * 24 * 60 * 60 * 1000
};

/* An order. Texts are borrowed for the call. */
struct change {
    enum change_verb verb;
    struct strview module;
    enum stage stage;
    uint32_t threshold;     /* percent as buckets, 0 … BUCKET_COUNT */
    enum write_owner owner; /* legacy or extracted */
    bool force; /* not only neighbouring stages; although a change waits to be confirmed */
    bool with_writes;
    struct strview who;         /* at most LIVE_WHO_BYTES - 1 */
    struct strview why;         /* at most LIVE_WHY_BYTES - 1 */
    uint64_t confirm_within_ms; /* stage, percent, writes, resume of one module; 0: needs none */
    uint64_t max_wait_ms;
    uint64_t ttl_ms;
    uint64_t timeout_ms;
    uint64_t if_generation; /* 0: any */
    uint64_t undo_entry;
};

enum { CHANGE_TITLE_BYTES = 64, CHANGE_DETAIL_BYTES = 512 };

/*
 * 200: done, or nothing was to be done (`changed` says which). Else an HTTP status that fits:
 * 404 no such module or entry, 409 not in this state, 412 another generation, 422 not a sensible
 * order, 500 it failed, 503 the journal cannot be written or the proxy ends, 504 not in time.
 * With 500 and 504 `changed` may be true: "aborted, not durable", or frozen with writes in flight.
 */
struct change_result {
    int status;
    bool changed;
    bool durable;        /* the journal has it; true when nothing changed */
    uint64_t generation; /* in force now */
    uint64_t entry;      /* the journal's number; 0: none */
    char title[CHANGE_TITLE_BYTES];
    char detail[CHANGE_DETAIL_BYTES]; /* of a refusal: why, and what to do */
    char note[CHANGE_DETAIL_BYTES];   /* of a 200: what is worth knowing; else empty */
};

/*
 * Carries the order out. on_done comes once, within this call or later; `owner` is what it gets
 * back. Orders that need no waiting are always answered within the call.
 */
void control_change(struct control *control, const struct change *change,
                    void (*on_done)(void *owner, const struct change_result *result), void *owner);

/* `owner` is gone: its orders go on, their answers are not given to anybody. */
void control_change_forget(struct control *control, const void *owner);

/* "stage", "percent", …: the journal's words and the commands' */
struct strview change_verb_name(enum change_verb verb);
bool change_verb_parse(struct strview text, enum change_verb *ret_verb);

#endif
