/*
 * What every answer may use: the database for reading and for writing, who waits for news, who
 * brings news from the other side, and the knobs. Owner: main, which fills it before the first
 * request and frees its parts after the last. Read from any thread; the parts lock themselves.
 */
#ifndef MONOLITH_FORUM_H
#define MONOLITH_FORUM_H

#include "monolith_stub/knobs.h"

struct store_pool;
struct writer;
struct waiting_room;
struct follower;

struct forum {
    struct store_pool *pool;
    struct writer *writer;
    struct waiting_room *room;
    struct follower *follower; /* NULL: there is no other side */
    struct knobs knobs;
};

#endif
