/* The number literals of configuration files, and what libconfig would make of them. Pure. */
#ifndef CONFIG_SOURCE_NUMBER_H
#define CONFIG_SOURCE_NUMBER_H

#include "proxy/core/strview.h"

enum source_number {
    SOURCE_NUMBER_INTEGER,
    SOURCE_NUMBER_FLOAT,
    SOURCE_NUMBER_TOO_LARGE, /* above 32 bits without the suffix L: libconfig 1.5 wraps it silently
                              */
    SOURCE_NUMBER_OVERFLOW,  /* above 64 bits, or an infinite float */
    SOURCE_NUMBER_MALFORMED,
};

/* Decimal and 0x integers with an optional suffix L, and floats. */
enum source_number source_number_check(struct strview text);

#endif
