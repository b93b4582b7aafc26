/*
 * What reconcile found, for people and for programs. Rows are named, never shown: some hold
 * secrets. One thread; writes to standard output.
 */
#ifndef EXTRACTED_RECONCILE_REPORT_H
#define EXTRACTED_RECONCILE_REPORT_H

#include "extracted/reconcile/comparison.h"

bool report_is_equal(const struct comparison *comparisons, size_t count);

/* False: it could not be written. */
bool report_print(const struct comparison *comparisons, size_t count);
bool report_print_json(const struct comparison *comparisons, size_t count);

#endif
