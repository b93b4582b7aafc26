/* What a snapshot holds of secrets: the token of overrides and the keys of pins. */
#include "proxy/config/pin_key_file.h"
#include "proxy/config/secret_file.h"
#include "proxy/config/snapshot_build.h"

enum { TOKEN_BYTES_MIN = 16, TOKEN_BYTES_MAX = 256 };

/* One line of what can stand in a header field. */
static bool take_token(char *text, struct strview *ret_token)
{
    size_t length = strcspn(text, "\r\n");
    bool one_line = strspn(text + length, "\r\n") == strlen(text + length);
    text[length] = '\0';
    if (!one_line || length < TOKEN_BYTES_MIN || length > TOKEN_BYTES_MAX)
        return false;
    for (size_t i = 0; i < length; i++) {
        if (text[i] <= ' ' || text[i] > '~')
            return false;
    }
    *ret_token = strview_make(text, length);
    return true;
}

/* Empty, with *fault, when the file cannot be used. */
static struct strview read_token_file(struct snapshot *snapshot, const char *path,
                                      struct fault *fault)
{
    char text[TOKEN_BYTES_MAX + 3]; /* with the end of the line and a terminator */
    struct strview token = STRVIEW_NONE;
    if (!secret_file_read(path, text, sizeof(text), fault))
        return STRVIEW_NONE;
    if (take_token(text, &token))
        token = arena_copy(&snapshot->arena, token);
    else
        fault_set(fault, "`%s` has to hold one line of %d to %d printable characters", path,
                  TOKEN_BYTES_MIN, TOKEN_BYTES_MAX);
    explicit_bzero(text, sizeof(text));
    return token;
}

struct strview snapshot_read_override_token(struct snapshot *snapshot,
                                            const struct text_setting *file,
                                            struct config_report *report)
{
    struct fault fault;
    if (file->text.length == 0)
        return STRVIEW_NONE;
    struct strview token = read_token_file(snapshot, file->text.data, &fault);
    if (token.length == 0 && report != NULL) {
        source_error(report, "bad-token-file", source_value_span(file->node), "%s", fault.text);
        config_report_hint(report, "for example: (umask 077; openssl rand -hex 32 > FILE)");
    }
    return token;
}

bool snapshot_needs_pin_keys(const struct snapshot *snapshot)
{
    for (uint32_t i = 0; i < snapshot->modules->count; i++) {
        if (snapshot->modules->modules[i].pin_ms > 0)
            return true;
    }
    return false;
}

bool snapshot_read_pin_keys(struct snapshot *snapshot, const char *state_dir, bool may_make,
                            struct fault *fault)
{
    struct pin_keys *keys = arena_zalloc(&snapshot->arena, sizeof(*keys));
    if (!(may_make ? pin_key_file_read_or_make(state_dir, keys, fault)
                   : pin_key_file_read(state_dir, keys, fault)))
        return false;
    snapshot->rules.pin_keys = keys;
    return true;
}
