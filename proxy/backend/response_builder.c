#include "proxy/backend/response_builder.h"

void response_builder_init(struct response_builder *builder)
{
    builder->bytes = 0;
    builder->interim_heads = 0;
    response_builder_restart(builder);
}

void response_builder_restart(struct response_builder *builder)
{
    builder->head.status = 0;
    builder->head.content_length = CONTENT_LENGTH_UNKNOWN;
    builder->head.has_body = false;
    headers_init(&builder->head.headers);
}

/* Content-Length may be repeated, or be a list, only with one and the same value: one number is
 * passed on, however often it was said. */
static enum builder_result take_content_length(struct response_builder *builder,
                                               struct strview list, struct strview *ret_number)
{
    struct strview element;
    uint64_t only = 0;
    *ret_number = list;
    if (builder->head.content_length == CONTENT_LENGTH_UNKNOWN &&
        strview_to_u64(list, INT64_MAX, &only)) {
        builder->head.content_length = (int64_t)only;
        return BUILDER_OK;
    }
    while (strview_next_element(&list, &element)) {
        uint64_t length = 0;
        if (!strview_to_u64(element, INT64_MAX, &length))
            return BUILDER_MALFORMED;
        if (builder->head.content_length != CONTENT_LENGTH_UNKNOWN &&
            builder->head.content_length != (int64_t)length)
            return BUILDER_MALFORMED;
        builder->head.content_length = (int64_t)length;
        *ret_number = element;
    }
    return builder->head.content_length == CONTENT_LENGTH_UNKNOWN ? BUILDER_MALFORMED : BUILDER_OK;
}

enum builder_result response_builder_add(struct response_builder *builder, struct arena *arena,
                                         const struct header_field *field)
{
    struct headers *headers = &builder->head.headers;
    struct header_field kept = *field;
    builder->bytes += (uint32_t)(field->name.length + field->value.length) + 32;
    if (builder->bytes > BACKEND_HEADER_BYTES || headers->count >= BACKEND_HEADER_FIELDS)
        return BUILDER_TOO_LARGE;
    if (field->token == HEADER_CONTENT_LENGTH) {
        bool repeated = builder->head.content_length != CONTENT_LENGTH_UNKNOWN;
        enum builder_result result = take_content_length(builder, field->value, &kept.value);
        if (result != BUILDER_OK || repeated)
            return result;
    }
    headers_add_field(headers, arena, &kept);
    return BUILDER_OK;
}

enum builder_result response_builder_field(struct response_builder *builder, struct arena *arena,
                                           struct strview name, struct strview value)
{
    const struct header_field field = {
        .name = name, .value = value, .token = header_token_of(name)};
    return header_field_is_valid(&field) ? response_builder_add(builder, arena, &field)
                                         : BUILDER_MALFORMED;
}

enum builder_result response_builder_head_done(struct response_builder *builder,
                                               enum http_method request_method, bool ends)
{
    struct response_head *head = &builder->head;
    if (head->status < 100 || head->status > 599 || head->status == 101)
        return BUILDER_MALFORMED;
    if (head->status < 200)
        return ++builder->interim_heads <= BACKEND_INTERIM_HEADS ? BUILDER_OK : BUILDER_TOO_LARGE;
    head->has_body = !ends && head->content_length != 0 &&
                     !response_has_no_content(request_method, head->status);
    return BUILDER_OK;
}
