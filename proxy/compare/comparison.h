/*
 * Compares two answers to the same request: the first side's, which the client got, and the second
 * side's. Status and chosen header fields, then JSON as a tree, HTML as a stream of tokens,
 * anything else byte by byte. Bounded in depth, size and work: what goes beyond is not comparable,
 * never slow. Pure: no I/O, no clock; any thread, with its own arena.
 */
#ifndef COMPARE_COMPARISON_H
#define COMPARE_COMPARISON_H

#include "proxy/compare/difference.h"
#include "proxy/compare/html_selector.h"
#include "proxy/compare/path_pattern.h"
#include "proxy/http/message.h"

enum { COMPARE_HEADERS_MAX = 32 };

/* How the answers of a module are compared; part of a snapshot, const. */
struct compare_rules {
    bool status;
    const struct strview *headers; /* lower-case names, besides content-type */
    uint32_t header_count;
    const struct strview *ignored_headers;
    uint32_t ignored_header_count;
    struct path_pattern_list ignore;
    struct path_pattern_list unordered;
    struct html_selector_list ignored_elements;
};

/* Bytes of an answer as they came; `complete` is false when it was longer than what was kept. */
struct compared_answer {
    int status;
    const struct headers *headers;
    struct strview body;
    bool complete;
};

/* All values of a field in one line, as RFC 9110 section 5.3 joins them; without data: none. */
struct strview answer_field(struct arena *arena, const struct headers *headers,
                            struct strview name);

/*
 * Is all that is compared of the heads the same byte for byte, and the content coding as well? With
 * the same bytes behind them the answers are equal, whatever they are: nothing has to be read for
 * it.
 */
bool answers_have_same_head(const struct compare_rules *rules, const struct compared_answer *first,
                            const struct compared_answer *second);

enum comparison_end { COMPARISON_EQUAL, COMPARISON_DIFFERENT, COMPARISON_NOT_COMPARABLE };

struct comparison {
    enum comparison_end end;
    const char *why; /* of what is not comparable: static text */
    struct difference_list differences;
};

/* What one comparison may spend, in bytes decoded and in steps of work. */
enum { COMPARE_DECODED_BYTES_MAX = 4 * 1024 * 1024 };
#define COMPARE_WORK_MAX UINT64_C(20000000)

/*
 * `arena` has the differences' texts, a few KiB. What else it needs, up to some dozen times the
 * size of the bodies, is given back when it returns.
 */
void comparison_run(const struct compare_rules *rules, const struct compared_answer *first,
                    const struct compared_answer *second, struct arena *arena,
                    struct comparison *ret_comparison);

#endif
