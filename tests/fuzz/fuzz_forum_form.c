/*
 * Forms as browsers and others send them to the services: what is read is whole UTF-8, says the
 * same when it is encoded again, and gets into a page as text only.
 */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "extracted/service_kit/form.h"
#include "extracted/service_kit/html.h"
#include "extracted/service_kit/utf8.h"
#include "proxy/core/check.h"

enum { TEXT_LIMIT = 16 * 1024 * 1024 };

static void encode(struct body_text *out, struct http_view text)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < text.length; i++) {
        unsigned char byte = (unsigned char)text.bytes[i];
        const char escape[] = {'%', digits[byte >> 4], digits[byte & 15]};
        body_text_add(out, escape, sizeof(escape));
    }
}

static void check_same(struct http_view one, struct http_view other)
{
    CHECK(one.length == other.length);
    CHECK(one.length == 0 || memcmp(one.bytes, other.bytes, one.length) == 0);
}

static void check_encoded_again(const struct form *form)
{
    struct form again;
    struct body_text encoded;
    body_text_init(&encoded, TEXT_LIMIT);
    for (size_t i = 0; i < form->count; i++) {
        encode(&encoded, form->fields[i].name);
        body_text_add_string(&encoded, "=");
        encode(&encoded, form->fields[i].value);
        body_text_add_string(&encoded, "&");
    }
    CHECK(form_read((struct http_view){encoded.bytes, encoded.length}, &again));
    CHECK(again.count == form->count);
    for (size_t i = 0; i < form->count; i++) {
        check_same(again.fields[i].name, form->fields[i].name);
        check_same(again.fields[i].value, form->fields[i].value);
    }
    form_done(&again);
    body_text_done(&encoded);
}

/* Between the constants of the template nothing is left that means anything to HTML. */
static void check_in_page(struct http_view value)
{
    struct body_text page;
    body_text_init(&page, TEXT_LIMIT);
    html_add(&page, "{}", html_view(value));
    CHECK(!page.overflowed && page.length >= value.length);
    for (size_t i = 0; i < page.length; i++)
        CHECK(page.bytes[i] == 0 || strchr("<>\"'", page.bytes[i]) == NULL);
    body_text_done(&page);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct form form;
    size_t total = 0;
    if (!form_read((struct http_view){(const char *)data, size}, &form))
        return 0;
    CHECK(form.count <= FORM_FIELDS);
    for (size_t i = 0; i < form.count; i++) {
        struct http_view name = form.fields[i].name;
        struct http_view value = form.fields[i].value;
        total += name.length + value.length;
        CHECK(utf8_is_valid(name.bytes, name.length) && utf8_is_valid(value.bytes, value.length));
        check_in_page(value);
    }
    CHECK(total <= size);
    check_encoded_again(&form);
    form_done(&form);
    return 0;
}
