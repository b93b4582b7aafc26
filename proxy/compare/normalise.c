#include "proxy/compare/normalise.h"

static bool is_one_of(struct strview name, const char *const *names)
{
    for (; *names != NULL; names++) {
        if (strview_equal_ignore_case(name, strview_of(*names)))
            return true;
    }
    return false;
}

static bool is_session_name(struct strview name)
{
    static const char *const names[] = {"sid",       "jsessionid", "phpsessid",
                                        "sessionid", "session_id", "aspsessionid",
                                        "cfid",      "cftoken",    NULL};
    return is_one_of(name, names);
}

/* The end of the parameter that begins at `from`. */
static size_t parameter_end(struct strview url, size_t from)
{
    while (from < url.length && strchr("&;?#/", url.data[from]) == NULL)
        from++;
    return from;
}

static bool begins_session(struct strview url, size_t at)
{
    if (at == 0 || strchr(";?&", url.data[at - 1]) == NULL)
        return false;
    struct strview parameter = strview_make(url.data + at, parameter_end(url, at) - at);
    size_t equals = strview_find(parameter, '=');
    return equals < parameter.length && is_session_name(strview_make(parameter.data, equals));
}

/* The value goes, its name stays: whether there is a session is still compared. */
struct strview normalise_url(struct arena *arena, struct strview url)
{
    char *out = NULL;
    size_t used = 0;
    for (size_t i = 0; i < url.length; i++) {
        bool session = url.data[i] != '\0' && begins_session(url, i);
        if (session && out == NULL) {
            out = arena_alloc(arena, url.length);
            memcpy(out, url.data, i);
            used = i;
        }
        size_t end = session ? parameter_end(url, i) : i + 1;
        size_t kept = session ? strview_find(strview_from(url, i), '=') + 1 : 1;
        if (out != NULL) {
            memcpy(out + used, url.data + i, kept);
            used += kept;
        }
        i = end - 1;
    }
    return out != NULL ? strview_make(out, used) : url;
}

static bool is_forgery_token(struct strview name)
{
    static const char *const names[] = {"csrf",
                                        "csrf_token",
                                        "csrf-token",
                                        "_csrf",
                                        "csrfmiddlewaretoken",
                                        "authenticity_token",
                                        "_token",
                                        "__requestverificationtoken",
                                        "xsrf",
                                        "_xsrf",
                                        "form_token",
                                        "nonce",
                                        NULL};
    return is_one_of(name, names);
}

/* <input name="csrf" value="…">, <meta name="csrf-token" content="…"> */
static bool holds_forgery_token(const struct html_token *token)
{
    const struct html_attribute *name = html_token_attribute(token, STRVIEW("name"));
    bool element =
        strview_equal(token->name, STRVIEW("input")) || strview_equal(token->name, STRVIEW("meta"));
    return element && name != NULL && is_forgery_token(name->value);
}

static bool is_address(struct strview attribute)
{
    static const char *const names[] = {"href", "src", "action", "formaction", NULL};
    return is_one_of(attribute, names);
}

void normalise_token(struct arena *arena, struct html_token *token)
{
    bool forgery = holds_forgery_token(token);
    for (uint32_t i = 0; i < token->attribute_count; i++) {
        struct html_attribute *attribute = &token->attributes[i];
        bool is_value = strview_equal(attribute->name, STRVIEW("value")) ||
                        strview_equal(attribute->name, STRVIEW("content"));
        if ((forgery && is_value) || strview_equal(attribute->name, STRVIEW("nonce")))
            attribute->value = STRVIEW("(new each time)");
        else if (is_address(attribute->name))
            attribute->value = normalise_url(arena, attribute->value);
    }
}
