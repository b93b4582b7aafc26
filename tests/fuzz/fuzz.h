/* The entry point of every fuzzer: called with one input, by libFuzzer or by replay_main.c. */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Some allocation of this run fails: what should succeed need not. */
#ifdef REPLAY_FAILING_MEMORY
extern bool fuzz_memory_fails;
#else
enum { fuzz_memory_fails = false };
#endif

/* Returns 0; a broken invariant aborts. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
