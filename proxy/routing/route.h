/*
 * One rule: which requests it takes and what happens to them. A route_spec is what somebody asked
 * for; a route is what it compiles to inside a route_table.
 */
#ifndef ROUTING_ROUTE_H
#define ROUTING_ROUTE_H

#include "proxy/http/message.h"
#include "proxy/net/address.h"

enum { ROUTE_NO_MODULE = -1, ROUTE_NO_BACKEND = -1 };

/* How a header, query or cookie condition tests: "name", "name=value", "name=~regex". */
enum test_kind { TEST_PRESENT, TEST_EQUAL, TEST_REGEX };

struct value_test {
    enum test_kind kind;
    struct strview name;
    struct strview value;
};

struct value_test_list {
    const struct value_test *items;
    size_t count;
};

/* Borrowed for the call that compiles it. Empty views and zero counts mean "not set". */
struct route_spec {
    struct strview name;
    struct strview host; /* lower case; exact, or "*.example.org" */
    struct strview exact;
    struct strview prefix;
    struct strview regex;
    uint32_t methods;               /* bit set over enum http_method; 0: all */
    struct value_test_list headers; /* names lower case */
    struct value_test_list query;
    struct value_test_list cookies;
    bool ignore_case;
    int priority;
    struct strview rewrite_regex;
    struct strview rewrite_path; /* for what the regex matched; $1 … $31, ${name}, $$ */
    bool treat_as_read;
    bool treat_as_write;
    bool websocket;
    uint64_t close_after_ms;
    int64_t module;  /* index, or ROUTE_NO_MODULE */
    int64_t backend; /* index, or ROUTE_NO_BACKEND; only outside modules */
    const struct cidr *allow;
    size_t allow_count;
    int deny_status;      /* 0: not a deny route */
    uint32_t order;       /* position in the files; breaks ties */
    uint32_t index;       /* caller's number for this route, returned in struct route */
    const void *timeouts; /* caller's, passed through to struct route */
};

struct route_rewrite; /* a compiled `rewrite`, see route_rewrite_apply */

struct route {
    struct strview name;
    int64_t module;
    int64_t backend;
    uint32_t index;
    bool treat_as_read;
    bool treat_as_write;
    bool websocket;          /* an Upgrade to it is passed on */
    uint64_t close_after_ms; /* for one whose backend would be another now; 0: it is kept */
    int deny_status;
    const struct cidr *allow;
    size_t allow_count;
    const struct route_rewrite *rewrite; /* NULL: the path is sent as it is */
    const void *timeouts;
};

static inline bool route_is_guarded(const struct route *route)
{
    return route->deny_status != 0 || route->allow_count > 0;
}

/* The status with which a guarded route refuses the client, or 0 when it lets it pass. */
int route_refusal(const struct route *route, const struct ip_address *client);

/* Which part of a route_spec a compile fault is about. */
enum route_part {
    ROUTE_PART_HOST,
    ROUTE_PART_EXACT,
    ROUTE_PART_PREFIX,
    ROUTE_PART_REGEX,
    ROUTE_PART_HEADERS,
    ROUTE_PART_QUERY,
    ROUTE_PART_COOKIES,
    ROUTE_PART_REWRITE_REGEX,
    ROUTE_PART_REWRITE_PATH,
};

struct route_fault {
    enum route_part part;
    size_t item;   /* index in headers, query or cookies */
    size_t offset; /* byte offset of the fault inside the regex (or the path) */
    char text[160];
};

#endif
