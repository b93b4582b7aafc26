/*
 * A control without workers, on files and a journal in a folder of its own: what it would publish
 * can be looked at. Single-threaded.
 */
#ifndef TESTS_UNIT_CONTROL_FIXTURE_H
#define TESTS_UNIT_CONTROL_FIXTURE_H

#include "proxy/control/control_internal.h"
#include "tests/unit/control/state_folder.h"

struct fixture {
    struct state_folder folder;
    char path[STATE_PATH_BYTES];
    struct control control;
    struct change_result result; /* of the last order */
    uint32_t answers;
};

/* Modules `users` (ramp, percent 25, group `shadow`, the program on_flip) and `posts` (legacy). */
void fixture_init(struct fixture *fixture);
void fixture_done(struct fixture *fixture);

/* In the module `users`: other lines than "stage = …; percent = …;". Not yet loaded. */
void fixture_write(struct fixture *fixture, const char *users);

/* What on_flip does: lines of a shell script. $1 module, $2 owner, $3 epoch. */
void fixture_write_program(struct fixture *fixture, const char *lines);

/* It runs until it is let go. */
void fixture_hold_program(struct fixture *fixture);
void fixture_let_go(struct fixture *fixture);

/* What it was told, "module owner epoch" in a line each: all of it; and turns the loop until it was
 * told that. */
void fixture_assert_told(const struct fixture *fixture, const char *expected);
void fixture_wait_told(struct fixture *fixture, const char *last);

/* As after kill -9: nothing was tidied up. `users` is as in fixture_write, or NULL. */
void fixture_restart(struct fixture *fixture, const char *users);

/* Gives the order, turns the loop until it is answered, and returns the status. */
int fixture_change(struct fixture *fixture, struct change change);

/* The same without waiting for the answer. */
void fixture_order(struct fixture *fixture, struct change change);

/* The refusal of the last order says this. */
void fixture_assert_detail(const struct fixture *fixture, const char *text);

/* Turns the loop once, without blocking. */
void fixture_turn(struct fixture *fixture);

/* Turns the loop until all orders are answered and no write owner is being changed. */
void fixture_settle(struct fixture *fixture);

/* The clock on the wall goes on, and what is due is done. */
void fixture_wait(struct fixture *fixture, uint64_t ms);

/* As it is in force for requests. */
struct module fixture_module(const struct fixture *fixture, const char *name);
struct live_module *fixture_live(const struct fixture *fixture, const char *name);

/* While locked, the journal cannot be written. */
void fixture_lock_journal(struct fixture *fixture);
void fixture_unlock_journal(struct fixture *fixture);

#endif
