/*
 * Cookie fields as the services read them: what is taken for a token has the form of one and stands
 * behind its whole name.
 */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "extracted/service_kit/session.h"
#include "extracted/service_kit/token.h"
#include "proxy/core/check.h"

static void check_found(struct http_view cookies, const char *name, struct http_view token)
{
    size_t length = strlen(name);
    const char *begin = token.bytes - length - 1;
    struct token read;
    char hash[SESSION_HASH_LENGTH + 1];
    CHECK(begin >= cookies.bytes && token.bytes + token.length <= cookies.bytes + cookies.length);
    CHECK(memcmp(begin, name, length) == 0 && begin[length] == '=');
    CHECK(begin == cookies.bytes || begin[-1] == ';' || begin[-1] == ' ');
    CHECK(token_read(token, &read));
    CHECK(session_hash(token, hash) && strlen(hash) == SESSION_HASH_LENGTH);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = {"sid", "vsid"};
    struct http_view cookies = {(const char *)data, size};
    for (size_t i = 0; i < 2; i++) {
        struct http_view token;
        if (session_read_cookie(cookies, names[i], &token))
            check_found(cookies, names[i], token);
    }
    return 0;
}
