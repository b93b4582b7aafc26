/*
 * Requests that share connections of an http1_fixture's pool: each is closed by its owner as soon
 * as it is over, and what became of it is written down as text. Single-threaded.
 */
#ifndef TESTS_UNIT_BACKEND_PIPELINE_FIXTURE_H
#define TESTS_UNIT_BACKEND_PIPELINE_FIXTURE_H

#include "tests/unit/backend/http1_fixture.h"

enum { COPIES = 4, DEPTH = 3, ANSWER_BYTES = 256 };

/* A whole answer; its text is "200 LETTER." */
#define ANSWER(letter) "HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n" letter

/* One request, closed by its owner as soon as it is over. */
struct copy {
    struct backend_request request;
    struct backend_stream *stream;
    char text[ANSWER_BYTES]; /* the answer: status, content, and '.' at its end */
    bool closes_at_head;
    bool failed;
    bool sent; /* when it was over */
    enum backend_fault fault;
};

/* The requests of a test, anew in each. */
extern struct copy copies[COPIES];

void copy_close(struct copy *copy);

/* Asks for the number-th, on a connection that has room. */
void copy_ask(struct http1_fixture *f, int number, enum http_method method);

/* So many in one turn, on a connection that is there: what is read here has left in one piece. */
void copies_ask(struct http1_fixture *f, int count);

void copies_answer(struct http1_fixture *f, const char *text);
void copies_assert_answered(int number, const char *text);
void copies_assert_failed(int number, enum backend_fault fault);

/* All are closed, and no connection is left. */
void copies_assert_all_closed(struct http1_fixture *f);

#endif
