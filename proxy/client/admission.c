#include "proxy/client/admission.h"

#include "proxy/core/array.h"
#include "proxy/core/log.h"
#include "proxy/net/socket.h"

enum { TELL_INTERVAL_MS = 1000 }; /* in the log, a worker */

static const struct snapshot *snapshot_of(const struct client_environment *environment)
{
    return environment->exchanges->lease->snapshot;
}

static uint64_t now_of(const struct client_environment *environment)
{
    return environment->exchanges->io->loop.now_ms;
}

/* Behind a trusted proxy there are many clients, and behind a Unix socket, which has no address. */
static bool stands_for_many(const struct snapshot *snapshot, const struct ip_address *ip)
{
    static const struct ip_address none = {{0}};
    return memcmp(ip, &none, sizeof(none)) == 0 ||
           cidr_list_contains(snapshot->trusted_proxies, snapshot->trusted_proxy_count, ip);
}

static bool is_paused(const struct client_environment *environment, const struct ip_address *ip)
{
    const struct snapshot *snapshot = snapshot_of(environment);
    uint32_t longest_ms = snapshot->limits.address_pause_ms;
    return longest_ms > 0 &&
           address_pauses_has(environment->pauses, ip, longest_ms, now_of(environment)) &&
           !stands_for_many(snapshot, ip);
}

/* Counts one more from there, unless it stands for many, who are not to take the room of others in
 * their /64. False: there are enough. */
static bool take_room(struct client_environment *environment, const struct ip_address *ip,
                      bool *ret_counted)
{
    const struct snapshot *snapshot = snapshot_of(environment);
    bool counted = !stands_for_many(snapshot, ip);
    uint32_t limit = snapshot->limits.connections_per_address;
    if (counted && !address_counts_add(environment->counts, ip, limit))
        return false;
    *ret_counted = counted;
    return true;
}

static bool refuse(const struct client_environment *environment, enum client_fault fault)
{
    client_environment_count_fault(environment, CONNECTION_UNKNOWN, fault);
    return false;
}

bool admission_begin(struct client_environment *environment, int fd, const struct address *client,
                     const struct client_terms *terms, bool *ret_counted)
{
    struct ip_address ip = address_ip(client);
    if (!memory_reserve_fill()) /* what memory there is, is for those who are here */
        return false;
    if (is_paused(environment, &ip))
        return refuse(environment, CLIENT_FAULT_PAUSED);
    if (terms->tls != NULL && socket_has_ended(fd)) /* cannot shake hands any more */
        return refuse(environment, CLIENT_FAULT_GONE);
    if (!take_room(environment, &ip, ret_counted))
        return refuse(environment, CLIENT_FAULT_CONNECTIONS);
    return true;
}

void admission_note_excess(struct client_environment *environment, const struct ip_address *ip)
{
    const struct snapshot *snapshot = snapshot_of(environment);
    if (stands_for_many(snapshot, ip))
        return;
    uint64_t now_ms = now_of(environment);
    uint32_t pause_ms =
        address_pauses_note(environment->pauses, ip, snapshot->limits.address_pause_ms, now_ms);
    if (pause_ms == 0 || now_ms < environment->told_ms + TELL_INTERVAL_MS)
        return;
    environment->told_ms = now_ms;
    char text[ADDRESS_TEXT_BYTES];
    ip_format(ip, text);
    log_info("no connections from %s for %u ms: it exceeds what one is allowed, again and again",
             text, (unsigned)pause_ms);
}
