#include "proxy/config/pin_key_file.h"

#include <errno.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proxy/config/secret_file.h"

enum { PATH_BYTES = 4000, TEXT_BYTES = 8192 };

static int digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = ascii_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool parse_key(struct strview line, uint8_t ret_key[static PIN_KEY_BYTES])
{
    if (line.length != 2 * PIN_KEY_BYTES)
        return false;
    for (size_t i = 0; i < PIN_KEY_BYTES; i++) {
        int high = digit_of(line.data[2 * i]);
        int low = digit_of(line.data[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        ret_key[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

bool pin_keys_parse(const char *path, struct strview text, struct pin_keys *ret_keys,
                    struct fault *fault)
{
    struct pin_keys keys = {.count = 0};
    for (unsigned number = 1; text.length > 0; number++) {
        size_t end = strview_find(text, '\n');
        struct strview line = strview_make(text.data, end);
        text = strview_from(text, end < text.length ? end + 1 : end);
        if (line.length > 0 && line.data[line.length - 1] == '\r')
            line.length--;
        line = strview_trim(line);
        if (line.length == 0 || line.data[0] == '#')
            continue;
        if (keys.count == PIN_KEYS_MAX)
            return fault_set(fault, "`%s` holds more than %d keys", path, PIN_KEYS_MAX);
        if (!parse_key(line, keys.keys[keys.count++]))
            return fault_set(fault, "`%s`, line %u: a key is %d hexadecimal digits", path, number,
                             2 * PIN_KEY_BYTES);
    }
    if (keys.count == 0)
        return fault_set(fault, "`%s` holds no key", path);
    *ret_keys = keys;
    return true;
}

static bool format_path(const char *state_dir, char path[static PATH_BYTES], struct fault *fault)
{
    int length = snprintf(path, PATH_BYTES, "%s/pin.keys", state_dir);
    return (length >= 0 && length < PATH_BYTES) ||
           fault_set(fault, "the path of state_dir is too long");
}

bool pin_key_file_read(const char *state_dir, struct pin_keys *ret_keys, struct fault *fault)
{
    char path[PATH_BYTES];
    char text[TEXT_BYTES];
    if (!format_path(state_dir, path, fault) || !secret_file_read(path, text, sizeof(text), fault))
        return false;
    bool good = pin_keys_parse(path, strview_of(text), ret_keys, fault);
    explicit_bzero(text, sizeof(text));
    return good;
}

static bool make_file(const char *state_dir, const char *path, struct fault *fault)
{
    static const char digits[] = "0123456789abcdef";
    uint8_t key[PIN_KEY_BYTES];
    char line[2 * PIN_KEY_BYTES + 2] = {0};
    if (mkdir(state_dir, 0750) != 0 && errno != EEXIST)
        return fault_set(fault, "cannot make state_dir `%s`: %s", state_dir, strerror(errno));
    if (getrandom(key, sizeof(key), 0) != (ssize_t)sizeof(key))
        return fault_set(fault, "there is no randomness for a key: %s", strerror(errno));
    for (size_t i = 0; i < PIN_KEY_BYTES; i++) {
        line[2 * i] = digits[key[i] >> 4];
        line[2 * i + 1] = digits[key[i] & 15];
    }
    line[2 * PIN_KEY_BYTES] = '\n';
    bool good = secret_file_make(path, line, fault);
    explicit_bzero(key, sizeof(key));
    explicit_bzero(line, sizeof(line));
    return good;
}

bool pin_key_file_read_or_make(const char *state_dir, struct pin_keys *ret_keys,
                               struct fault *fault)
{
    char path[PATH_BYTES];
    if (!format_path(state_dir, path, fault))
        return false;
    if (access(path, F_OK) != 0 && errno == ENOENT && !make_file(state_dir, path, fault))
        return false;
    return pin_key_file_read(state_dir, ret_keys, fault);
}
