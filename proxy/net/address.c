#include "proxy/net/address.h"

#include <arpa/inet.h>
#include <stddef.h>
#include <stdio.h>

enum { V4_OFFSET = 12, V4_PREFIX_BITS = 96 };

/* ::ffff:0:0/96, RFC 4291 section 2.5.5.2 */
static const uint8_t v4_mapped[V4_OFFSET] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

/* inet_pton wants a terminator. False when the text cannot be an address by its length alone. */
static bool text_terminate(struct strview text, char buffer[static INET6_ADDRSTRLEN])
{
    if (text.length == 0 || text.length >= INET6_ADDRSTRLEN ||
        memchr(text.data, '\0', text.length) != NULL)
        return false;
    memcpy(buffer, text.data, text.length);
    buffer[text.length] = '\0';
    return true;
}

static void ip_from_v4(const struct in_addr *v4, struct ip_address *ret_ip)
{
    memcpy(ret_ip->bytes, v4_mapped, sizeof(v4_mapped));
    memcpy(ret_ip->bytes + V4_OFFSET, v4, sizeof(*v4));
}

bool ip_is_v4(const struct ip_address *ip)
{
    return memcmp(ip->bytes, v4_mapped, sizeof(v4_mapped)) == 0;
}

bool ip_is_loopback(const struct ip_address *ip)
{
    static const struct ip_address v6 = {.bytes = {[15] = 1}};
    return memcmp(ip, &v6, sizeof(v6)) == 0 || (ip_is_v4(ip) && ip->bytes[12] == 127);
}

/* IPv4 becomes a network that no IPv6 host can be in: 0:ffff::/32 is reserved (RFC 4291). */
uint64_t ip_network(const struct ip_address *ip)
{
    const uint8_t *bytes = ip_is_v4(ip) ? ip->bytes + sizeof(uint64_t) : ip->bytes;
    uint64_t network = 0;
    for (size_t i = 0; i < sizeof(network); i++)
        network = network << 8 | bytes[i];
    return network;
}

bool ip_parse(struct strview text, struct ip_address *ret_ip)
{
    char buffer[INET6_ADDRSTRLEN];
    struct in_addr v4;
    struct in6_addr v6;
    if (!text_terminate(text, buffer))
        return false;
    if (inet_pton(AF_INET, buffer, &v4) == 1) {
        ip_from_v4(&v4, ret_ip);
        return true;
    }
    if (inet_pton(AF_INET6, buffer, &v6) != 1)
        return false;
    memcpy(ret_ip->bytes, &v6, sizeof(ret_ip->bytes));
    return true;
}

static size_t format_number(uint8_t number, char *to)
{
    size_t length = 0;
    if (number >= 100)
        to[length++] = (char)('0' + number / 100);
    if (number >= 10)
        to[length++] = (char)('0' + number / 10 % 10);
    to[length++] = (char)('0' + number % 10);
    return length;
}

/* By hand: a request of a module that knows people by address asks for it, and inet_ntop goes by
 * way of printf. */
static size_t format_v4(const uint8_t bytes[static 4], char buffer[static ADDRESS_TEXT_BYTES])
{
    size_t length = format_number(bytes[0], buffer);
    for (size_t i = 1; i < 4; i++) {
        buffer[length++] = '.';
        length += format_number(bytes[i], buffer + length);
    }
    buffer[length] = '\0';
    return length;
}

size_t ip_format(const struct ip_address *ip, char buffer[static ADDRESS_TEXT_BYTES])
{
    if (ip_is_v4(ip))
        return format_v4(ip->bytes + V4_OFFSET, buffer);
    const char *text = inet_ntop(AF_INET6, ip->bytes, buffer, ADDRESS_TEXT_BYTES);
    return text != NULL ? strlen(text) : 0;
}

static bool address_parse_local(struct strview path, struct address *ret_address)
{
    struct sockaddr_un local = {.sun_family = AF_UNIX};
    if (path.length == 0 || path.length >= sizeof(local.sun_path) ||
        memchr(path.data, '\0', path.length) != NULL)
        return false;
    memcpy(local.sun_path, path.data, path.length);
    ret_address->length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + path.length + 1);
    ret_address->socket.local = local;
    return true;
}

/* The last colon parts host and port; an IPv6 host stands in brackets. */
static bool split_port(struct strview text, struct strview *ret_host, uint16_t *ret_port)
{
    size_t colon = text.length;
    while (colon > 0 && text.data[colon - 1] != ':')
        colon--;
    uint64_t port;
    if (colon == 0 || !strview_to_u64(strview_from(text, colon), UINT16_MAX, &port))
        return false;
    *ret_host = strview_make(text.data, colon - 1);
    *ret_port = (uint16_t)port;
    return true;
}

static bool address_parse_v6(struct strview host, uint16_t port, struct address *ret_address)
{
    char buffer[INET6_ADDRSTRLEN];
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    if (host.length < 2 || host.data[host.length - 1] != ']' ||
        !text_terminate(strview_make(host.data + 1, host.length - 2), buffer) ||
        inet_pton(AF_INET6, buffer, &v6.sin6_addr) != 1)
        return false;
    ret_address->length = sizeof(v6);
    ret_address->socket.v6 = v6;
    return true;
}

static bool address_parse_v4(struct strview host, uint16_t port, struct address *ret_address)
{
    char buffer[INET6_ADDRSTRLEN];
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
    if (strview_equal(host, STRVIEW("localhost")))
        v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    else if (!text_terminate(host, buffer) || inet_pton(AF_INET, buffer, &v4.sin_addr) != 1)
        return false;
    ret_address->length = sizeof(v4);
    ret_address->socket.v4 = v4;
    return true;
}

bool address_parse(struct strview text, struct address *ret_address)
{
    struct strview unix_scheme = STRVIEW("unix:");
    if (strview_starts_with(text, unix_scheme))
        return address_parse_local(strview_from(text, unix_scheme.length), ret_address);
    struct strview host;
    uint16_t port;
    if (!split_port(text, &host, &port) || host.length == 0)
        return false;
    return host.data[0] == '[' ? address_parse_v6(host, port, ret_address)
                               : address_parse_v4(host, port, ret_address);
}

const char *address_format(const struct address *address, char buffer[static ADDRESS_TEXT_BYTES])
{
    char host[INET6_ADDRSTRLEN] = "?";
    switch (address->socket.any.sa_family) {
    case AF_UNIX:
        snprintf(buffer, ADDRESS_TEXT_BYTES, "unix:%s", address->socket.local.sun_path);
        break;
    case AF_INET:
        inet_ntop(AF_INET, &address->socket.v4.sin_addr, host, sizeof(host));
        snprintf(buffer, ADDRESS_TEXT_BYTES, "%s:%u", host, address_port(address));
        break;
    case AF_INET6:
        inet_ntop(AF_INET6, &address->socket.v6.sin6_addr, host, sizeof(host));
        snprintf(buffer, ADDRESS_TEXT_BYTES, "[%s]:%u", host, address_port(address));
        break;
    default:
        snprintf(buffer, ADDRESS_TEXT_BYTES, "?");
        break;
    }
    return buffer;
}

struct ip_address address_ip(const struct address *address)
{
    struct ip_address ip = {{0}};
    if (address->socket.any.sa_family == AF_INET)
        ip_from_v4(&address->socket.v4.sin_addr, &ip);
    else if (address->socket.any.sa_family == AF_INET6)
        memcpy(ip.bytes, &address->socket.v6.sin6_addr, sizeof(ip.bytes));
    return ip;
}

uint16_t address_port(const struct address *address)
{
    if (address->socket.any.sa_family == AF_INET)
        return ntohs(address->socket.v4.sin_port);
    if (address->socket.any.sa_family == AF_INET6)
        return ntohs(address->socket.v6.sin6_port);
    return 0;
}

/* The bits of byte `index` that belong to a prefix of `bits`. */
static uint8_t prefix_mask(unsigned bits, unsigned index)
{
    if (bits >= index * 8 + 8)
        return 0xff;
    if (bits <= index * 8)
        return 0;
    return (uint8_t)(0xff << (8 - (bits - index * 8)));
}

bool cidr_parse(struct strview text, struct cidr *ret_cidr)
{
    struct cidr cidr = {.prefix_bits = 128};
    size_t slash = strview_find(text, '/');
    struct strview ip_text = strview_make(text.data, slash);
    if (!ip_parse(ip_text, &cidr.network))
        return false;
    if (slash < text.length) {
        bool v4_notation = strview_find(ip_text, ':') == ip_text.length;
        uint64_t bits;
        if (!strview_to_u64(strview_from(text, slash + 1), v4_notation ? 32 : 128, &bits))
            return false;
        cidr.prefix_bits = (uint8_t)(v4_notation ? bits + V4_PREFIX_BITS : bits);
    }
    for (unsigned i = 0; i < sizeof(cidr.network.bytes); i++) {
        if ((cidr.network.bytes[i] & (uint8_t)~prefix_mask(cidr.prefix_bits, i)) != 0)
            return false;
    }
    *ret_cidr = cidr;
    return true;
}

bool cidr_contains(const struct cidr *cidr, const struct ip_address *ip)
{
    for (unsigned i = 0; i < sizeof(ip->bytes); i++) {
        uint8_t mask = prefix_mask(cidr->prefix_bits, i);
        if (mask == 0)
            break;
        if (((cidr->network.bytes[i] ^ ip->bytes[i]) & mask) != 0)
            return false;
    }
    return true;
}

bool cidr_list_contains(const struct cidr *list, size_t count, const struct ip_address *ip)
{
    for (size_t i = 0; i < count; i++) {
        if (cidr_contains(&list[i], ip))
            return true;
    }
    return false;
}
