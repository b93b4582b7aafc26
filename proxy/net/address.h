/*
 * Addresses: IP, IP with port, Unix socket path, CIDR block. Values, no ownership. Pure, any
 * thread.
 */
#ifndef NET_ADDRESS_H
#define NET_ADDRESS_H

#include <sys/socket.h>
#include <sys/un.h>
#include <netinet/in.h>

#include "proxy/core/strview.h"

/* IPv4 is held in its IPv6-mapped form, so that there is one comparison. */
struct ip_address {
    uint8_t bytes[16];
};

struct cidr {
    struct ip_address network;
    uint8_t prefix_bits; /* 0 … 128, in the mapped form */
};

struct address {
    socklen_t length;
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
        struct sockaddr_un local;
    } socket;
};

enum { ADDRESS_TEXT_BYTES = 128 };

/* "127.0.0.1:80", "[::1]:80", "localhost:80" (127.0.0.1) or "unix:/path". False when malformed. */
bool address_parse(struct strview text, struct address *ret_address);

/* Writes the same notation, terminated; returns `buffer`. */
const char *address_format(const struct address *address, char buffer[static ADDRESS_TEXT_BYTES]);

/* The IP of an address; all zero for a Unix socket. */
struct ip_address address_ip(const struct address *address);

/* Port in host order; 0 for a Unix socket. */
uint16_t address_port(const struct address *address);

/* "192.0.2.1" or "2001:db8::1", without brackets and port. */
bool ip_parse(struct strview text, struct ip_address *ret_ip);

/* Writes dotted or colon notation, terminated; returns its length. */
size_t ip_format(const struct ip_address *ip, char buffer[static ADDRESS_TEXT_BYTES]);

bool ip_is_v4(const struct ip_address *ip);
bool ip_is_loopback(const struct ip_address *ip);

/*
 * Who is counted as one client: an IPv4 address, or the /64 of an IPv6 address, since a host may
 * use any address of its /64 (RFC 8981). Different ones give different numbers.
 */
uint64_t ip_network(const struct ip_address *ip);

/* "10.0.0.0/8", "2001:db8::/32" or a single address. Bits below the prefix have to be zero. */
bool cidr_parse(struct strview text, struct cidr *ret_cidr);

bool cidr_contains(const struct cidr *cidr, const struct ip_address *ip);

/* Is the address in any of `count` blocks? */
bool cidr_list_contains(const struct cidr *list, size_t count, const struct ip_address *ip);

#endif
