#include "monolith_stub/people/cookies.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "monolith_stub/people/session.h"

/* RFC 6265 section 4.2.1: name=value pairs, a semicolon and a blank between them. */
bool cookie_find(const char *cookies, const char *name, struct token *ret_token)
{
    size_t name_length = strlen(name);
    const char *at = cookies == NULL ? "" : cookies;
    while (*at != 0) {
        at += strspn(at, " \t;");
        size_t length = strcspn(at, ";");
        if (length > name_length && at[name_length] == '=' && memcmp(at, name, name_length) == 0 &&
            token_read(at + name_length + 1, length - name_length - 1, ret_token))
            return true;
        at += length;
    }
    return false;
}

static void set_cookie(const struct request *request, struct reply *reply, const char *pair,
                       const char *life)
{
    char field[REPLY_FIELD_BYTES];
    bool is_secure =
        request->forwarded_proto != NULL && strcasecmp(request->forwarded_proto, "https") == 0;
    snprintf(field, sizeof(field), "%s; Path=/; HttpOnly; SameSite=Lax%s%s", pair, life,
             is_secure ? "; Secure" : "");
    reply_field(reply, "Set-Cookie", field);
}

void cookie_set_sid(const struct request *request, struct reply *reply, const struct token *sid)
{
    char pair[64];
    char life[32];
    snprintf(pair, sizeof(pair), "sid=%s", sid->text);
    snprintf(life, sizeof(life), "; Max-Age=%d", SESSION_LIFE_S);
    set_cookie(request, reply, pair, life);
}

void cookie_forget_sid(const struct request *request, struct reply *reply)
{
    set_cookie(request, reply, "sid=", "; Max-Age=0");
}

void cookie_set_vsid(const struct request *request, struct reply *reply, const struct token *vsid)
{
    char pair[64];
    snprintf(pair, sizeof(pair), "vsid=%s", vsid->text);
    set_cookie(request, reply, pair, "");
}
