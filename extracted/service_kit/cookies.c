#include "extracted/service_kit/cookies.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* Whoever ends TLS before us says so. */
static bool is_behind_tls(const struct http_request *request)
{
    static const char https[] = "https";
    struct http_view proto = request->forwarded_proto;
    return proto.length == strlen(https) && strncasecmp(proto.bytes, https, proto.length) == 0;
}

/* `life_s` below 0: until the browser ends. */
static void set(const struct http_request *request, struct http_reply *reply, const char *name,
                const char *value, int life_s)
{
    char life[32] = "";
    char field[HTTP_FIELD_VALUE];
    if (life_s >= 0)
        snprintf(life, sizeof(life), "; Max-Age=%d", life_s);
    snprintf(field, sizeof(field), "%s=%s; Path=/; HttpOnly; SameSite=Lax%s%s", name, value, life,
             is_behind_tls(request) ? "; Secure" : "");
    http_reply_add_field(reply, "set-cookie", field);
}

void cookie_set_sid(const struct http_request *request, struct http_reply *reply,
                    const struct token *sid)
{
    set(request, reply, "sid", sid->text, COOKIE_SID_LIFE_S);
}

void cookie_forget_sid(const struct http_request *request, struct http_reply *reply)
{
    set(request, reply, "sid", "", 0);
}

void cookie_set_vsid(const struct http_request *request, struct http_reply *reply,
                     const struct token *vsid)
{
    set(request, reply, "vsid", vsid->text, -1);
}
