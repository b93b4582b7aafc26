/*
 * The SQL of the queries from QUERY_OF_FEEDS on: outbox, ownership, cursors, events of the other
 * side. Constants.
 */
#ifndef MONOLITH_FEED_QUERIES_H
#define MONOLITH_FEED_QUERIES_H

#include "monolith_stub/store_queries.h"

const char *feed_query_sql(enum query query);

#endif
