/* What a client may ask of us: the `limits` group as numbers. Values, read-only after build. */
#ifndef HTTP_LIMITS_H
#define HTTP_LIMITS_H

#include <stdint.h>

struct limits {
    uint32_t header_bytes; /* decoded header list, RFC 9113 section 6.5.2 counting */
    uint32_t header_fields;
    uint64_t body_bytes;              /* 0: no limit */
    uint32_t streams;                 /* concurrent requests on one connection */
    uint32_t connections;             /* client connections, all workers together */
    uint32_t connections_per_address; /* of them; 0: no limit */
    uint32_t address_pause_ms;        /* the longest that an address is held off; 0: none is */
    uint32_t header_timeout_ms;
    uint32_t body_timeout_ms;
    uint32_t write_timeout_ms;
    uint32_t idle_timeout_ms;
    uint32_t drain_timeout_ms;
    uint32_t hand_over_timeout_ms;
};

#endif
