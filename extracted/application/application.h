/*
 * One of the two applications of a module, asked over HTTP by the commands that work on both. One
 * thread; blocking, each call within its limit.
 */
#ifndef EXTRACTED_APPLICATION_H
#define EXTRACTED_APPLICATION_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct application {
    const char *side; /* "legacy" or "extracted" */
    const char *url;  /* "http://127.0.0.1:3000", without a slash at the end */
    bool http2;       /* cleartext with prior knowledge; else HTTP/1.1 */
};

struct application_pair {
    struct application legacy;
    struct application extracted;
};

enum { APPLICATION_FAULT_BYTES = 256 };

struct application_fault {
    bool answered; /* the application refused; else nobody knows what it did */
    char text[APPLICATION_FAULT_BYTES];
};

/* What is asked of it; borrowed for the call. */
struct application_question {
    const char *path;      /* with its query */
    const char *post_json; /* NULL: a GET */
    int64_t timeout_ms;
};

/* For usage texts: where application_pair_find looks. */
#define APPLICATION_ENVIRONMENT                                                                    \
    "Environment: FORUM_LEGACY (default http://127.0.0.1:3000), FORUM_USERS (…:3001),\n"         \
    "FORUM_THREADS (…:3002), FORUM_POSTS (…:3003).\n"

/* The two sides of a module: users, threads or posts. Addresses are the environment's or the
 * demo's, constants or the environment's own memory. False: there is no such module. */
bool application_pair_find(const char *module, struct application_pair *ret_pair);

/* The body of an answer 200, ended by a NUL, which the caller frees; NULL, with a sentence in
 * `fault`, when there is none. */
char *application_ask(const struct application *application,
                      const struct application_question *question, size_t *ret_length,
                      struct application_fault *fault);

/* The same for a JSON object, which the caller gives back with json_decref. */
json_t *application_ask_json(const struct application *application,
                             const struct application_question *question,
                             struct application_fault *fault);

#endif
