/*
 * GET /internal/export/…: every row of a table as NDJSON, for services that fill themselves.
 * The format is a contract, written down in README.md. Any thread.
 */
#ifndef MONOLITH_EXPORT_H
#define MONOLITH_EXPORT_H

#include "monolith_stub/route.h"

route_answer export_users;
route_answer export_threads;
route_answer export_posts;

#endif
