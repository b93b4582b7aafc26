#include "proxy/net/tls_tickets.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "proxy/core/array.h"
#include "proxy/core/check.h"

struct tls_tickets {
    _Atomic uint32_t references;
    pthread_mutex_t lock;
    struct tls_ticket_keys keys;
};

struct tls_tickets *tls_tickets_new(void)
{
    struct tls_tickets *tickets = memory_zalloc(sizeof(*tickets));
    tickets->references = 1;
    CHECK(pthread_mutex_init(&tickets->lock, NULL) == 0);
    return tickets;
}

struct tls_tickets *tls_tickets_ref(struct tls_tickets *tickets)
{
    atomic_fetch_add_explicit(&tickets->references, 1, memory_order_relaxed);
    return tickets;
}

void tls_tickets_unref(struct tls_tickets *tickets)
{
    if (tickets == NULL ||
        atomic_fetch_sub_explicit(&tickets->references, 1, memory_order_acq_rel) > 1)
        return;
    pthread_mutex_destroy(&tickets->lock);
    OPENSSL_cleanse(tickets, sizeof(*tickets));
    free(tickets);
}

/* A key whose time is over is wiped: what was sealed with it stays sealed. */
static void let_go_of_old(struct tls_tickets *tickets, uint64_t now_s)
{
    if (tickets->keys.current.ends_s != 0 && now_s >= tickets->keys.current.ends_s) {
        tickets->keys.before = tickets->keys.current;
        OPENSSL_cleanse(&tickets->keys.current, sizeof(tickets->keys.current));
    }
    if (tickets->keys.before.ends_s != 0 &&
        now_s >= tickets->keys.before.ends_s + TLS_TICKET_TURN_S)
        OPENSSL_cleanse(&tickets->keys.before, sizeof(tickets->keys.before));
}

static bool make_current(struct tls_tickets *tickets, uint64_t now_s)
{
    struct tls_ticket_key *key = &tickets->keys.current.key;
    if (RAND_bytes(key->name, sizeof(key->name)) != 1 ||
        RAND_priv_bytes(key->cipher, sizeof(key->cipher)) != 1 ||
        RAND_priv_bytes(key->mac, sizeof(key->mac)) != 1)
        return false;
    tickets->keys.current.ends_s = now_s + TLS_TICKET_TURN_S;
    return true;
}

bool tls_tickets_current(struct tls_tickets *tickets, uint64_t now_s,
                         struct tls_ticket_key *ret_key)
{
    pthread_mutex_lock(&tickets->lock);
    let_go_of_old(tickets, now_s);
    bool good = tickets->keys.current.ends_s != 0 || make_current(tickets, now_s);
    if (good)
        *ret_key = tickets->keys.current.key;
    pthread_mutex_unlock(&tickets->lock);
    return good;
}

static bool is_named(const struct tls_held_key *held, const unsigned char *name)
{
    return held->ends_s != 0 && memcmp(held->key.name, name, TLS_TICKET_NAME_BYTES) == 0;
}

bool tls_tickets_find(struct tls_tickets *tickets, const unsigned char *name, uint64_t now_s,
                      struct tls_ticket_key *ret_key)
{
    pthread_mutex_lock(&tickets->lock);
    let_go_of_old(tickets, now_s);
    const struct tls_held_key *held = NULL;
    if (is_named(&tickets->keys.current, name))
        held = &tickets->keys.current;
    else if (is_named(&tickets->keys.before, name))
        held = &tickets->keys.before;
    if (held != NULL)
        *ret_key = held->key;
    pthread_mutex_unlock(&tickets->lock);
    return held != NULL;
}

void tls_tickets_copy(struct tls_tickets *tickets, struct tls_ticket_keys *ret_keys)
{
    pthread_mutex_lock(&tickets->lock);
    *ret_keys = tickets->keys;
    pthread_mutex_unlock(&tickets->lock);
}

void tls_tickets_set(struct tls_tickets *tickets, const struct tls_ticket_keys *keys)
{
    pthread_mutex_lock(&tickets->lock);
    tickets->keys = *keys;
    pthread_mutex_unlock(&tickets->lock);
}
