/*
 * The tables and queries that every service has: facts, who owns the writes, events that tell of
 * writes, and how far foreign events were read. Constants. Owner of what they make: the database.
 */
#ifndef SERVICE_KIT_KIT_QUERIES_H
#define SERVICE_KIT_KIT_QUERIES_H

enum kit_query {
    KIT_OWNER_ADD,    /* ?1 aggregate; only if it is unknown */
    KIT_OWNER_READ,   /* ?1 aggregate: owner, epoch */
    KIT_OWNER_WRITE,  /* ?1 aggregate, ?2 owner, ?3 epoch */
    KIT_OUTBOX_ADD,   /* ?1 feed, ?2 aggregate, ?3 time in ms, ?4 body */
    KIT_OUTBOX_AFTER, /* ?1 feed, ?2 seq, ?3 limit: seq, epoch, at_ms, body */
    KIT_OUTBOX_LAST,  /* ?1 feed: seq, or 0 */
    KIT_CURSOR_READ,  /* ?1 feed, ?2 source: seq */
    KIT_CURSOR_WRITE, /* ?1 feed, ?2 source, ?3 seq */
    KIT_QUERY_COUNT,
};

/* Run at every start; makes what is missing. */
extern const char kit_schema[];

const char *kit_query_sql(enum kit_query query);

#endif
