#include "extracted/service_kit/feed.h"

#include <string.h>
#include <strings.h>

bool feed_is_own(const struct feed_plan *plan, const struct feed *feed)
{
    return strcmp(plan->aggregate, feed->aggregate) == 0;
}

const struct feed *feed_find(const struct feed_plan *plan, const char *name, size_t length)
{
    for (size_t i = 0; i < plan->count; i++) {
        const char *known = plan->feeds[i].name;
        if (strlen(known) == length && memcmp(known, name, length) == 0)
            return &plan->feeds[i];
    }
    return NULL;
}

bool feed_last_read(const char *line, size_t length, int64_t *ret_seq)
{
    static const char name[] = "x-feed-last:";
    const size_t most_digits = 18;
    size_t at = strlen(name);
    if (length <= at || strncasecmp(line, name, at) != 0)
        return false;
    while (at < length && line[at] == ' ')
        at++;
    int64_t value = 0;
    size_t first = at;
    for (; at < length && at - first < most_digits && line[at] >= '0' && line[at] <= '9'; at++)
        value = value * 10 + (line[at] - '0');
    if (at == first)
        return false;
    *ret_seq = value;
    return true;
}
