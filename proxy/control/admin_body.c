#include "proxy/control/admin_body.h"

#include <math.h>
#include <microhttpd.h>

#include "proxy/config/suggestion.h"
#include "proxy/routing/bucket.h"
#include "proxy/routing/side.h"

/* One member on its way to the target. */
struct member {
    const struct admin_call *call;
    const struct body_key *key;
    const json_t *value;
    void *place;
};

static bool refuse(const struct member *member, const char *what)
{
    admin_reply_problem(member->call->request, MHD_HTTP_UNPROCESSABLE_CONTENT, "`%s` is %s",
                        member->key->name, what);
    return false;
}

static bool is_printable(struct strview text)
{
    for (size_t i = 0; i < text.length; i++) {
        if ((unsigned char)text.data[i] < 0x20 || text.data[i] == 0x7f)
            return false;
    }
    return true;
}

static struct strview text_of(const json_t *value)
{
    return strview_make(json_string_value(value), json_string_length(value));
}

static bool read_text(const struct member *member)
{
    size_t longest = member->key->longest > 0 ? member->key->longest : BODY_TEXT_BYTES_MAX;
    if (!json_is_string(member->value) || !is_printable(text_of(member->value)))
        return refuse(member, "a text without control characters");
    struct strview text = text_of(member->value);
    if (text.length > longest)
        return refuse(member, "too long");
    *(struct strview *)member->place = text;
    return true;
}

static bool read_flag(const struct member *member)
{
    if (!json_is_boolean(member->value))
        return refuse(member, "true or false");
    *(bool *)member->place = json_is_true(member->value);
    return true;
}

static bool read_number(const struct member *member)
{
    if (!json_is_integer(member->value) || json_integer_value(member->value) < 0)
        return refuse(member, "a whole number, 0 or more");
    *(uint64_t *)member->place = (uint64_t)json_integer_value(member->value);
    return true;
}

static bool read_percent(const struct member *member)
{
    double percent = json_number_value(member->value);
    uint32_t threshold;
    if (!json_is_number(member->value) || !bucket_threshold_of_percent(percent, &threshold) ||
        fabs(percent * BUCKETS_PER_PERCENT - threshold) > 1e-6)
        return refuse(member, "a number from 0 to 100 with at most four decimals");
    *(uint32_t *)member->place = threshold;
    return true;
}

static bool read_stage(const struct member *member)
{
    if (!json_is_string(member->value))
        return refuse(member, "a text");
    if (stage_parse(text_of(member->value), member->place))
        return true;
    struct suggestion suggestion = suggestion_begin(text_of(member->value));
    for (int stage = 0; stage < STAGE_COUNT; stage++)
        suggestion_offer(&suggestion, stage_name((enum stage)stage));
    admin_reply_suggestion(member->call->request, MHD_HTTP_UNPROCESSABLE_CONTENT, suggestion.best,
                           "there is no stage `%.100s`: legacy, shadow, ramp, live, retired",
                           json_string_value(member->value));
    return false;
}

static bool read_side(const struct member *member)
{
    enum write_owner owner;
    if (!json_is_string(member->value))
        return refuse(member, "a text");
    if (write_owner_parse(text_of(member->value), &owner) && owner != WRITE_OWNER_FOLLOW) {
        *(enum write_owner *)member->place = owner;
        return true;
    }
    struct suggestion suggestion = suggestion_begin(text_of(member->value));
    suggestion_offer(&suggestion, STRVIEW("legacy"));
    suggestion_offer(&suggestion, STRVIEW("extracted"));
    admin_reply_suggestion(member->call->request, MHD_HTTP_UNPROCESSABLE_CONTENT, suggestion.best,
                           "there is no side `%.100s`: legacy, extracted",
                           json_string_value(member->value));
    return false;
}

static bool read_texts(const struct member *member)
{
    size_t index;
    const json_t *item;
    if (!json_is_array(member->value))
        return refuse(member, "a list of texts");
    json_array_foreach(member->value, index, item)
    {
        if (!json_is_string(item))
            return refuse(member, "a list of texts");
    }
    *(const json_t **)member->place = member->value;
    return true;
}

static bool (*const readers[])(const struct member *member) = {
    [BODY_TEXT] = read_text,       [BODY_FLAG] = read_flag,   [BODY_NUMBER] = read_number,
    [BODY_PERCENT] = read_percent, [BODY_STAGE] = read_stage, [BODY_SIDE] = read_side,
    [BODY_TEXTS] = read_texts,
};

static bool refuse_unknown(const struct admin_call *call, const struct body_key *keys,
                           const char *name)
{
    struct suggestion suggestion = suggestion_begin(strview_of(name));
    for (const struct body_key *key = keys; key->name != NULL; key++)
        suggestion_offer(&suggestion, strview_of(key->name));
    admin_reply_suggestion(call->request, MHD_HTTP_UNPROCESSABLE_CONTENT, suggestion.best,
                           "there is no key `%.100s` in this body", name);
    return false;
}

static const struct body_key *find_key(const struct body_key *keys, const char *name)
{
    for (const struct body_key *key = keys; key->name != NULL; key++) {
        if (strview_equal(strview_of(key->name), strview_of(name)))
            return key;
    }
    return NULL;
}

bool admin_body_read(const struct admin_call *call, const struct body_key *keys, void *target)
{
    const char *name;
    json_t *value;
    /* For the macro alone, which takes no const. */
    json_t *body = (json_t *)(uintptr_t)call->body;
    json_object_foreach(body, name, value)
    {
        const struct body_key *key = find_key(keys, name);
        if (key == NULL)
            return refuse_unknown(call, keys, name);
        const struct member member = {call, key, value, (char *)target + key->offset};
        if (!readers[key->kind](&member))
            return false;
    }
    for (const struct body_key *key = keys; key->name != NULL; key++) {
        if (key->is_required && json_object_get(call->body, key->name) == NULL) {
            admin_reply_problem(call->request, MHD_HTTP_UNPROCESSABLE_CONTENT, "`%s` is missing",
                                key->name);
            return false;
        }
    }
    return true;
}

bool admin_if_match(const struct admin_call *call, uint64_t *ret_generation)
{
    struct strview text = strview_trim(strview_of(admin_request_field(call->request, "if-match")));
    *ret_generation = 0;
    if (text.length == 0 || strview_equal(text, STRVIEW("*")))
        return true;
    if (text.length > 2 && text.data[0] == '"' && text.data[text.length - 1] == '"')
        text = strview_make(text.data + 1, text.length - 2);
    if (strview_to_u64(text, INT64_MAX, ret_generation) && *ret_generation > 0)
        return true;
    admin_reply_problem(call->request, MHD_HTTP_BAD_REQUEST,
                        "If-Match is the number of a generation");
    return false;
}
