/*
 * A backend that answers anything. The input is a few bytes of choices (struct choices) and then
 * what the backend sends, cut into pieces, over a Unix socket to a real connection of a real pool.
 * Requests follow one another on it as long as there are bytes. Each gets exactly one end, nothing
 * comes after that, and when all is over nothing is held. For the fuzzers of both protocols.
 */
#ifndef TESTS_FUZZ_RESPONSE_H
#define TESTS_FUZZ_RESPONSE_H

#include <stddef.h>
#include <stdint.h>

#include "proxy/backend/backend.h"

void response_run(enum backend_protocol protocol, const uint8_t *data, size_t size);

#endif
