#include "proxy/control/admin_access.h"

#include <errno.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proxy/config/secret_file.h"

enum { PATH_BYTES = 4096, RANDOM_BYTES = 32, STATUS_UNAUTHORIZED = 401, STATUS_FORBIDDEN = 403 };

/* --- the token's file ---------------------------------------------------------------------- */

static bool is_token_byte(char c)
{
    return c > ' ' && c < 0x7f;
}

/* Cuts the text after its first line, which is all that a token's file has. */
static bool cut_token(char *text, const char *path, struct fault *fault)
{
    size_t used = 0;
    while (is_token_byte(text[used]))
        used++;
    bool ends = text[used] == '\0' || text[used] == '\n' || text[used] == '\r';
    text[used] = '\0';
    if (ends && used >= ADMIN_TOKEN_BYTES_MIN && used <= ADMIN_TOKEN_BYTES_MAX)
        return true;
    return fault_set(fault, "`%s` holds no token of %d to %d printable characters", path,
                     ADMIN_TOKEN_BYTES_MIN, ADMIN_TOKEN_BYTES_MAX);
}

bool admin_token_read(const char *path, char token[static ADMIN_TOKEN_BYTES_MAX + 1],
                      struct fault *fault)
{
    char text[ADMIN_TOKEN_BYTES_MAX + 4]; /* an end of line, a terminator, and one to know more */
    if (!secret_file_read(path, text, sizeof(text), fault))
        return false;
    bool good = cut_token(text, path, fault);
    if (good)
        memcpy(token, text, strlen(text) + 1);
    explicit_bzero(text, sizeof(text));
    return good;
}

/* One that is there already stays. */
static bool make_token(const char *path, struct fault *fault)
{
    static const char digits[] = "0123456789abcdef";
    uint8_t random[RANDOM_BYTES];
    char line[2 * RANDOM_BYTES + 2];
    if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
        return fault_set(fault, "there is no randomness for an admin token");
    for (size_t i = 0; i < RANDOM_BYTES; i++) {
        line[2 * i] = digits[random[i] >> 4];
        line[2 * i + 1] = digits[random[i] & 15];
    }
    memcpy(line + 2 * RANDOM_BYTES, "\n", 2);
    bool good = secret_file_make(path, line, fault);
    explicit_bzero(line, sizeof(line));
    explicit_bzero(random, sizeof(random));
    return good;
}

static bool load_token(struct admin_access *admin_access, const char *state_dir,
                       struct fault *fault)
{
    char path[PATH_BYTES];
    int length = snprintf(path, sizeof(path), "%s/admin.token", state_dir);
    if (length < 0 || length >= (int)sizeof(path))
        return fault_set(fault, "the path of state_dir is too long");
    if (mkdir(state_dir, 0750) != 0 && errno != EEXIST)
        return fault_set(fault, "cannot make state_dir `%s`: %s", state_dir, strerror(errno));
    bool is_there = access(path, F_OK) == 0;
    return (is_there || make_token(path, fault)) &&
           admin_token_read(path, admin_access->token, fault);
}

bool admin_access_init(struct admin_access *access, const struct address *address,
                       const char *state_dir, struct fault *fault)
{
    *access = (struct admin_access){
        .by_token = address->socket.any.sa_family != AF_UNIX,
        .address = *address,
    };
    return !access->by_token || load_token(access, state_dir, fault);
}

/* --- requests ------------------------------------------------------------------------------ */

/* "[::1]:9901", "localhost:9901" or without a port: what stands before the port. */
static struct strview host_name(struct strview host)
{
    if (host.length > 0 && host.data[0] == '[') {
        size_t end = strview_find(host, ']');
        return end < host.length ? strview_make(host.data + 1, end - 1) : STRVIEW_NONE;
    }
    host.length = strview_find(host, ':');
    return host;
}

static bool is_wildcard(const struct ip_address *ip)
{
    static const struct ip_address none;
    static const struct ip_address none_v4 = {.bytes = {[10] = 0xff, [11] = 0xff}};
    return memcmp(ip, &none, sizeof(none)) == 0 || memcmp(ip, &none_v4, sizeof(none_v4)) == 0;
}

/* A name of somebody else's can be made to point at us, an address cannot: who listens on all
 * addresses takes any. */
static bool is_ours(const struct admin_access *access, const char *host)
{
    if (host == NULL)
        return false;
    struct strview name = host_name(strview_of(host));
    if (strview_equal_ignore_case(name, STRVIEW("localhost")))
        return true;
    struct ip_address ip;
    struct ip_address own = address_ip(&access->address);
    return ip_parse(name, &ip) &&
           (ip_is_loopback(&ip) || is_wildcard(&own) || memcmp(&ip, &own, sizeof(ip)) == 0);
}

/* Takes as long wherever the first difference is. */
static bool is_token(const struct admin_access *access, struct strview given)
{
    size_t length = strlen(access->token);
    unsigned difference = given.length != length;
    for (size_t i = 0; i < length; i++)
        difference |=
            (unsigned char)access->token[i] ^ (unsigned char)(i < given.length ? given.data[i] : 0);
    return difference == 0;
}

int admin_access_check(const struct admin_access *access, const char *authorization,
                       const char *host, const char **ret_detail)
{
    static const struct strview scheme = {"Bearer ", 7};
    if (!access->by_token)
        return 0;
    if (!is_ours(access, host)) {
        *ret_detail = "the Host of this request is no address of this proxy";
        return STATUS_FORBIDDEN;
    }
    struct strview text = strview_of(authorization);
    if (text.length <= scheme.length ||
        !strview_equal_ignore_case(strview_make(text.data, scheme.length), scheme)) {
        *ret_detail = "`Authorization: Bearer TOKEN` is needed; the token stands in the file "
                      "admin.token in state_dir";
        return STATUS_UNAUTHORIZED;
    }
    if (!is_token(access, strview_trim(strview_from(text, scheme.length)))) {
        *ret_detail = "this is not the token in the file admin.token in state_dir";
        return STATUS_UNAUTHORIZED;
    }
    return 0;
}
