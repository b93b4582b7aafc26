/*
 * One of the two applications of a module, asked over HTTP about the ownership of an aggregate. One
 * thread; blocking, each call within its limit.
 */
#ifndef EXTRACTED_FLIP_APPLICATION_H
#define EXTRACTED_FLIP_APPLICATION_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct application {
    const char *side; /* "legacy" or "extracted" */
    const char *url;  /* "http://127.0.0.1:3000", without a slash at the end */
    bool http2;       /* cleartext with prior knowledge; else HTTP/1.1 */
};

enum { APPLICATION_FAULT_BYTES = 256 };

struct application_fault {
    bool answered; /* the application refused; else nobody knows what it did */
    char text[APPLICATION_FAULT_BYTES];
};

/*
 * Asks who owns the aggregate. The answer is a JSON object that the caller gives back with
 * json_decref; NULL, with a sentence in `fault`, when there is none.
 */
json_t *application_owner(const struct application *application, const char *aggregate,
                          struct application_fault *fault);

/* Tells who owns the aggregate from now on; durable when it returns. The answer as above. */
json_t *application_tell_owner(const struct application *application, const char *aggregate,
                               const char *owner, uint64_t epoch, struct application_fault *fault);

#endif
