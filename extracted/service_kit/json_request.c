#include "extracted/service_kit/json_request.h"

#include <string.h>
#include <strings.h>

#include "extracted/service_kit/problem.h"
#include "extracted/service_kit/query_string.h"

enum { ID_DIGITS = 15 };

static bool refuse(struct http_reply *reply, unsigned status, const char *title, const char *detail)
{
    problem_reply(reply, &(struct problem){.status = status, .title = title, .detail = detail});
    return false;
}

static bool refuse_field(struct http_reply *reply, const char *field, const char *detail)
{
    problem_reply(reply, &(struct problem){.status = 422,
                                           .title = "Unprocessable Content",
                                           .detail = detail,
                                           .field = field});
    return false;
}

/* RFC 6454 section 7: the origin's host and port are those that were asked. */
static bool is_own_origin(struct http_view origin, struct http_view authority)
{
    const char *host = origin.length > 0 ? memmem(origin.bytes, origin.length, "://", 3) : NULL;
    if (host == NULL)
        return false;
    host += 3;
    size_t length = origin.length - (size_t)(host - origin.bytes);
    return length == authority.length && strncasecmp(host, authority.bytes, length) == 0;
}

bool json_request_is_allowed(const struct http_request *request, struct http_reply *reply)
{
    return request->origin.length == 0 || is_own_origin(request->origin, request->authority) ||
           refuse(reply, 403, "Forbidden", "The request does not come from a page of this forum.");
}

static bool is_json(struct http_view type)
{
    static const char wanted[] = "application/json";
    size_t at = strlen(wanted);
    if (type.length < at || strncasecmp(type.bytes, wanted, at) != 0)
        return false;
    while (at < type.length && (type.bytes[at] == ' ' || type.bytes[at] == '\t'))
        at++;
    return at == type.length || type.bytes[at] == ';';
}

json_t *json_request_read(const struct http_request *request, struct http_reply *reply)
{
    json_error_t error;
    if (!json_request_is_allowed(request, reply))
        return NULL;
    if (!is_json(request->content_type)) {
        refuse(reply, 415, "Unsupported Media Type", "The body has to be application/json.");
        return NULL;
    }
    const char *bytes = request->body.length > 0 ? request->body.bytes : "";
    json_t *object =
        json_loadb(bytes, request->body.length, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
    if (json_is_object(object))
        return object;
    json_decref(object);
    refuse(reply, 400, "Bad Request", "The body is not a JSON object in UTF-8.");
    return NULL;
}

/* jansson has checked that it is UTF-8: every byte that continues none begins a character. */
static size_t count_characters(struct http_view text)
{
    size_t count = 0;
    for (size_t i = 0; i < text.length; i++)
        count += (text.bytes[i] & 0xc0) != 0x80 ? 1 : 0;
    return count;
}

bool json_request_text(const json_t *object, const struct json_field *field,
                       struct http_reply *reply, struct http_view *ret_value)
{
    const json_t *value = json_object_get(object, field->name);
    if (!json_is_string(value))
        return refuse_field(reply, field->name, "It has to be there, and a string.");
    struct http_view text = {json_string_value(value), json_string_length(value)};
    size_t count = count_characters(text);
    if (count < field->least || count > field->most || memchr(text.bytes, 0, text.length) != NULL)
        return refuse_field(reply, field->name, field->wanted);
    *ret_value = text;
    return true;
}

static bool read_id(struct http_view digits, int64_t *ret_id)
{
    int64_t id = 0;
    if (digits.length == 0 || digits.length > ID_DIGITS)
        return false;
    for (size_t i = 0; i < digits.length; i++) {
        if (digits.bytes[i] < '0' || digits.bytes[i] > '9')
            return false;
        id = id * 10 + (digits.bytes[i] - '0');
    }
    *ret_id = id;
    return id > 0;
}

bool json_request_id(const struct http_request *request, struct http_reply *reply, int64_t *ret_id)
{
    return read_id(request->parameters[0], ret_id) || refuse(reply, 404, "Not Found", NULL);
}

bool json_request_page(const struct http_request *request, struct http_reply *reply,
                       int64_t *ret_page)
{
    int64_t page;
    if (!query_number(request->query, "page", 1, &page) || page < 1)
        return refuse_field(reply, "page", "It is a number from 1 on.");
    *ret_page = page;
    return true;
}

static bool read_ids(struct http_view list, struct json_ids *ids)
{
    ids->count = 0;
    while (ids->count < JSON_IDS) {
        const char *comma = list.length > 0 ? memchr(list.bytes, ',', list.length) : NULL;
        struct http_view id = list;
        if (comma != NULL)
            id.length = (size_t)(comma - list.bytes);
        if (!read_id(id, &ids->each[ids->count]))
            return false;
        ids->count++;
        if (comma == NULL)
            return true;
        list.bytes += id.length + 1;
        list.length -= id.length + 1;
    }
    return false;
}

bool json_request_ids(const struct http_request *request, struct http_reply *reply,
                      struct json_ids *ret_ids)
{
    struct http_view list;
    return (query_find(request->query, "ids", &list) && read_ids(list, ret_ids)) ||
           refuse_field(reply, "ids", "It is 1 to 100 ids with commas between.");
}
