#include "proxy/config/suggestion.h"

enum { WORD_BYTES_MAX = 100 };

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Optimal string alignment: the dynamic programme over three rows. */
size_t edit_distance(struct strview a, struct strview b)
{
    if (a.length > WORD_BYTES_MAX || b.length > WORD_BYTES_MAX)
        return SIZE_MAX;
    size_t rows[3][WORD_BYTES_MAX + 1];
    size_t *before = rows[0];
    size_t *above = rows[1];
    size_t *row = rows[2];
    for (size_t k = 0; k <= b.length; k++)
        above[k] = k;
    for (size_t i = 1; i <= a.length; i++) {
        row[0] = i;
        for (size_t k = 1; k <= b.length; k++) {
            char x = ascii_lower(a.data[i - 1]);
            char y = ascii_lower(b.data[k - 1]);
            row[k] = smaller(above[k - 1] + (x != y), smaller(above[k], row[k - 1]) + 1);
            if (i > 1 && k > 1 && x == ascii_lower(b.data[k - 2]) &&
                y == ascii_lower(a.data[i - 2]))
                row[k] = smaller(row[k], before[k - 2] + 1);
        }
        size_t *oldest = before;
        before = above;
        above = row;
        row = oldest;
    }
    return above[b.length];
}

struct suggestion suggestion_begin(struct strview wrong)
{
    /* A third of the word may be wrong, but always one letter. */
    size_t allowed = wrong.length / 3 > 0 ? wrong.length / 3 : 1;
    return (struct suggestion){.wrong = wrong, .distance = allowed + 1};
}

void suggestion_offer(struct suggestion *suggestion, struct strview candidate)
{
    size_t a = suggestion->wrong.length;
    size_t b = candidate.length;
    if ((a > b ? a - b : b - a) >= suggestion->distance)
        return;
    size_t distance = edit_distance(suggestion->wrong, candidate);
    if (distance >= suggestion->distance || distance >= candidate.length)
        return;
    suggestion->best = candidate;
    suggestion->distance = distance;
}
