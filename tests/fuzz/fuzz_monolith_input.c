/*
 * What strangers send to the monolith: forms and queries, cookies, ids and what they search for.
 * The first byte chooses.
 */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "monolith_stub/input/form.h"
#include "monolith_stub/input/json_body.h"
#include "monolith_stub/input/paging.h"
#include "monolith_stub/input/utf8.h"
#include "monolith_stub/people/cookies.h"
#include "monolith_stub/talk/search.h"
#include "proxy/core/check.h"

static void check_search(struct text_view words)
{
    struct text expression;
    bool is_inside = false;
    text_init(&expression, words.length * 4 + SEARCH_EXPRESSION_BYTES);
    search_write_expression(&expression, words);
    for (size_t i = 0; i < expression.length; i++) {
        if (expression.bytes[i] == '"')
            is_inside = !is_inside;
        else
            CHECK(is_inside || expression.bytes[i] == ' ');
    }
    CHECK(!is_inside && !expression.failed);
    text_done(&expression);
}

static void check_in_page(struct text_view value)
{
    struct text page;
    text_init(&page, value.length * 8 + 1);
    text_append_html(&page, value.bytes, value.length);
    CHECK(!page.failed && page.length >= value.length);
    for (size_t i = 0; i < page.length; i++)
        CHECK(page.bytes[i] == 0 || strchr("<>\"'", page.bytes[i]) == NULL);
    text_done(&page);
}

static void check_form(struct text_view encoded)
{
    struct form form;
    size_t total = 0;
    if (!form_read(encoded, &form))
        return;
    CHECK(form.count <= FORM_FIELD_LIMIT);
    for (unsigned i = 0; i < form.count; i++) {
        struct text_view value = form.fields[i].value;
        total += form.fields[i].name.length + value.length;
        CHECK(utf8_is_valid(value.bytes, value.length));
        check_in_page(value);
        check_search(value);
    }
    CHECK(total <= encoded.length);
    form_done(&form);
}

/* Fields come as strings: what is behind a NUL is not seen. */
static void check_field(struct text_view bytes)
{
    struct token token;
    char *field = malloc(bytes.length + 1);
    CHECK(field != NULL);
    if (bytes.length > 0)
        memcpy(field, bytes.bytes, bytes.length);
    field[bytes.length] = 0;
    if (cookie_find(field, "sid", &token))
        CHECK(strlen(token.text) == TOKEN_LENGTH && strstr(field, token.text) != NULL);
    if (origin_fits(field, "forum.example"))
        CHECK(strstr(field, "://") != NULL);
    content_type_is(field, "application/json");
    free(field);
}

static void check_numbers(struct text_view text)
{
    int64_t number;
    struct id_list list;
    if (id_read(text, &number))
        CHECK(number > 0 && number < INT64_C(1000000000000000));
    if (page_read(text, &number))
        CHECK(number > 0 && number < INT64_C(1000000000));
    if (!id_list_read(text, &list))
        return;
    CHECK(list.count > 0 && list.count <= ID_LIST_LIMIT);
    for (unsigned i = 0; i < list.count; i++)
        CHECK(list.ids[i] > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct text_view text = {(const char *)data + 1, size - 1};
    switch (data[0] % 3) {
    case 0:
        check_form(text);
        break;
    case 1:
        check_field(text);
        break;
    default:
        check_numbers(text);
        break;
    }
    return 0;
}
