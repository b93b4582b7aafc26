/*
 * Queries of requests to the services, and the numbers and words in them: numbers are in range, and
 * what people search for is a list of strings to FTS5, whatever they type.
 */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "extracted/posts/search_words.h"
#include "extracted/service_kit/decimal.h"
#include "extracted/service_kit/form.h"
#include "extracted/service_kit/path_id.h"
#include "extracted/service_kit/query_string.h"
#include "proxy/core/check.h"

static void check_numbers(struct http_view query)
{
    int64_t number;
    struct http_view value;
    if (query_number(query, "page", 7, &number))
        CHECK(number >= 0 && number < INT64_C(1000000000000000));
    if (query_duration_ms(query, "wait", &number))
        CHECK(number >= 0);
    if (!query_find(query, "ids", &value))
        return;
    CHECK(value.length == 0 ||
          (value.bytes >= query.bytes && value.bytes + value.length <= query.bytes + query.length));
    if (decimal_read_id(value, &number))
        CHECK(number > 0);
    if (path_id_parse(value.bytes, value.length, &number))
        CHECK(number >= -(INT64_C(1) << 53) && number <= INT64_C(1) << 53);
}

/* Strings in quotes, which are doubled inside, each with a blank behind. */
static void check_expression(const struct body_text *expression)
{
    bool is_inside = false;
    for (size_t i = 0; i < expression->length; i++) {
        if (expression->bytes[i] == '"')
            is_inside = !is_inside;
        else
            CHECK(is_inside || expression->bytes[i] == ' ');
    }
    CHECK(!is_inside && !expression->overflowed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct form form;
    struct body_text expression;
    struct http_view query = {(const char *)data, size};
    check_numbers(query);
    if (!form_read(query, &form))
        return 0;
    body_text_init(&expression, SEARCH_EXPRESSION_LIMIT);
    if (search_words_read(form_value(&form, "q"), &expression) == NULL)
        check_expression(&expression);
    body_text_done(&expression);
    form_done(&form);
    return 0;
}
