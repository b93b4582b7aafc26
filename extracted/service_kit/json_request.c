#include "extracted/service_kit/json_request.h"

#include <string.h>
#include <strings.h>

#include "extracted/service_kit/decimal.h"
#include "extracted/service_kit/problem.h"
#include "extracted/service_kit/query_string.h"
#include "extracted/service_kit/utf8.h"

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

json_t *json_request_read(const struct http_request *request, struct http_reply *reply)
{
    json_error_t error;
    if (!json_request_is_allowed(request, reply))
        return NULL;
    if (!http_media_type_is(request->content_type, "application/json")) {
        refuse(reply, 415, "Unsupported Media Type", NULL);
        return NULL;
    }
    if (request->body_is_too_large) {
        refuse(reply, 413, "Content Too Large", NULL);
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

bool json_request_string(const json_t *object, const char *name, struct http_reply *reply,
                         struct http_view *ret_value)
{
    const json_t *value = json_object_get(object, name);
    if (!json_is_string(value))
        return refuse_field(reply, name, "It has to be there, and a string.");
    *ret_value = (struct http_view){json_string_value(value), json_string_length(value)};
    return true;
}

bool json_request_text(const json_t *object, const struct json_field *field,
                       struct http_reply *reply, struct http_view *ret_value)
{
    struct http_view text;
    if (!json_request_string(object, field->name, reply, &text))
        return false;
    size_t count = utf8_count(text.bytes, text.length);
    if (count < field->least || count > field->most || memchr(text.bytes, 0, text.length) != NULL)
        return refuse_field(reply, field->name, field->wanted);
    *ret_value = text;
    return true;
}

bool json_request_id(const struct http_request *request, struct http_reply *reply, int64_t *ret_id)
{
    return decimal_read_id(request->parameters[0], ret_id) || refuse(reply, 404, "Not Found", NULL);
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
        if (!decimal_read_id(id, &ids->each[ids->count]))
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
