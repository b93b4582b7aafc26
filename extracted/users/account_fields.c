#include "extracted/users/account_fields.h"

#include <string.h>

#include "extracted/service_kit/page_form.h"

static const struct json_field name_field = {"name", 0, 80,
                                             "A name is at most 80 characters long."};
static const struct json_field bio_field = {"bio", 0, 500, "A bio is at most 500 characters long."};

static bool is_username_letter(char byte)
{
    bool is_letter = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
    return is_letter || (byte >= '0' && byte <= '9') || byte == '_' || byte == '-';
}

struct outcome account_check_username(struct http_view value)
{
    bool is_good = value.length >= 3 && value.length <= 32;
    for (size_t i = 0; is_good && i < value.length; i++)
        is_good = is_username_letter(value.bytes[i]);
    if (is_good)
        return outcome_of(OUTCOME_DONE);
    return outcome_field_fault("username",
                               "A user name is 3 to 32 letters, digits, hyphens or underscores.");
}

struct outcome account_check_password(struct http_view value)
{
    if (value.length >= 8 && value.length <= 200 && memchr(value.bytes, 0, value.length) == NULL)
        return outcome_of(OUTCOME_DONE);
    return outcome_field_fault("password", "A password is 8 to 200 bytes long.");
}

struct outcome account_check_name(struct http_view value)
{
    return page_form_check(&name_field, value);
}

struct outcome account_check_bio(struct http_view value)
{
    return page_form_check(&bio_field, value);
}
