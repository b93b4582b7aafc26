/*
 * The two clocks: wall time for what is stored and shown, steady time for waiting. Any thread.
 */
#ifndef MONOLITH_CLOCK_H
#define MONOLITH_CLOCK_H

#include <stdint.h>

/* Milliseconds since 1970. */
int64_t clock_wall_ms(void);

/* Milliseconds that never jump; the zero means nothing. */
int64_t clock_steady_ms(void);

#endif
