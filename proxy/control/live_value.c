#include "proxy/control/live_value.h"

#include <inttypes.h>
#include <stdio.h>

#include "proxy/routing/bucket.h"

enum { PERCENT_DECIMALS = 4 };

static const struct strview key_names[LIVE_KEY_COUNT] = {
    [LIVE_STAGE] = {"stage", 5},
    [LIVE_PERCENT] = {"percent", 7},
    [LIVE_WRITE_OWNER] = {"write_owner", 11},
    [LIVE_ABORTED] = {"aborted", 7},
    [LIVE_FROZEN] = {"frozen", 6},
};

struct strview live_key_name(enum live_key key)
{
    return key_names[key];
}

bool live_key_parse(struct strview text, enum live_key *ret_key)
{
    for (int i = 0; i < LIVE_KEY_COUNT; i++) {
        if (strview_equal(key_names[i], text)) {
            *ret_key = (enum live_key)i;
            return true;
        }
    }
    return false;
}

/* As few decimals as say it exactly. */
static void format_percent(uint64_t threshold, char text[static LIVE_VALUE_BYTES])
{
    unsigned whole = (unsigned)(threshold / BUCKETS_PER_PERCENT);
    unsigned part = (unsigned)(threshold % BUCKETS_PER_PERCENT);
    int length = snprintf(text, LIVE_VALUE_BYTES, "%u.%04u", whole, part);
    while (length > 0 && text[length - 1] == '0')
        text[--length] = '\0';
    if (length > 0 && text[length - 1] == '.')
        text[length - 1] = '\0';
}

static bool parse_percent(struct strview text, uint64_t *ret_threshold)
{
    size_t point = strview_find(text, '.');
    uint64_t whole = 0;
    uint64_t part = 0;
    size_t decimals = 0;
    if (!strview_to_u64(strview_make(text.data, point), 100, &whole))
        return false;
    if (point < text.length) {
        struct strview rest = strview_from(text, point + 1);
        decimals = rest.length;
        if (decimals > PERCENT_DECIMALS || !strview_to_u64(rest, BUCKETS_PER_PERCENT, &part))
            return false;
    }
    for (; decimals < PERCENT_DECIMALS; decimals++)
        part *= 10;
    uint64_t threshold = whole * BUCKETS_PER_PERCENT + part;
    if (threshold > BUCKET_COUNT)
        return false;
    *ret_threshold = threshold;
    return true;
}

const char *live_value_format(enum live_key key, uint64_t value, char text[static LIVE_VALUE_BYTES])
{
    switch (key) {
    case LIVE_STAGE:
        snprintf(text, LIVE_VALUE_BYTES, "%.*s", STRVIEW_ARGS(stage_name((enum stage)value)));
        break;
    case LIVE_PERCENT:
        format_percent(value, text);
        break;
    case LIVE_WRITE_OWNER:
        snprintf(text, LIVE_VALUE_BYTES, "%.*s",
                 STRVIEW_ARGS(write_owner_name((enum write_owner)value)));
        break;
    case LIVE_ABORTED:
        snprintf(text, LIVE_VALUE_BYTES, "%s", value != 0 ? "yes" : "no");
        break;
    case LIVE_FROZEN:
    case LIVE_KEY_COUNT:
        snprintf(text, LIVE_VALUE_BYTES, "%" PRIu64, value);
        break;
    }
    return text;
}

static bool parse_flag(struct strview text, uint64_t *ret_value)
{
    bool yes = strview_equal(text, STRVIEW("yes"));
    if (!yes && !strview_equal(text, STRVIEW("no")))
        return false;
    *ret_value = yes;
    return true;
}

bool live_value_parse(enum live_key key, struct strview text, uint64_t *ret_value)
{
    enum stage stage;
    enum write_owner owner;
    switch (key) {
    case LIVE_STAGE:
        if (!stage_parse(text, &stage))
            return false;
        *ret_value = stage;
        return true;
    case LIVE_PERCENT:
        return parse_percent(text, ret_value);
    case LIVE_WRITE_OWNER:
        if (!write_owner_parse(text, &owner))
            return false;
        *ret_value = owner;
        return true;
    case LIVE_ABORTED:
        return parse_flag(text, ret_value);
    case LIVE_FROZEN:
        return strview_to_u64(text, INT64_MAX, ret_value);
    case LIVE_KEY_COUNT:
        break;
    }
    return false;
}
