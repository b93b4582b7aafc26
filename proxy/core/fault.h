/* A fault with a text for a person: the one way in which fallible calls off the request path
 * report. */
#ifndef CORE_FAULT_H
#define CORE_FAULT_H

enum { FAULT_TEXT_BYTES = 256 };

struct fault {
    char text[FAULT_TEXT_BYTES];
};

/* Sets the text and returns false, so that `return fault_set(fault, "...")` reads as the failure.
 */
_Bool fault_set(struct fault *fault, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
