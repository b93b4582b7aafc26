#include "proxy/control/names_internal.h"

#include <stdlib.h>

#include "proxy/core/array.h"
#include "proxy/core/log.h"

enum {
    TTL_MIN_MS = 1000,
    TTL_MAX_MS = 3600 * 1000,
    AGAIN_MS = 2000, /* after a failure */
};

struct name *names_find(const struct names *names, struct strview host)
{
    for (size_t i = 0; i < names->list.count; i++) {
        if (strview_equal(names->list.items[i]->host, host))
            return names->list.items[i];
    }
    return NULL;
}

/* --- asking ---------------------------------------------------------------------------------- */

static void set_next(struct names *names)
{
    struct loop *loop = names->options.loop;
    uint64_t next_ms = UINT64_MAX;
    for (size_t i = 0; i < names->list.count; i++) {
        const struct name *name = names->list.items[i];
        if (name->wanted && !name->asked && name->due_ms < next_ms)
            next_ms = name->due_ms;
    }
    if (next_ms == UINT64_MAX)
        deadline_stop(&names->next);
    else
        deadline_start(loop, &names->next, next_ms > loop->now_ms ? next_ms - loop->now_ms : 1);
}

static void take_addresses(struct name *name, const struct resolver_answer *answer)
{
    uint64_t ttl_ms = (uint64_t)answer->ttl_s * 1000;
    ttl_ms = ttl_ms > TTL_MIN_MS ? ttl_ms : TTL_MIN_MS;
    free(name->addresses);
    name->addresses = memory_alloc(answer->count * sizeof(*name->addresses));
    memcpy(name->addresses, answer->addresses, answer->count * sizeof(*name->addresses));
    name->count = answer->count;
    name->more = answer->more;
    name->due_ms = name->names->options.loop->now_ms + (ttl_ms < TTL_MAX_MS ? ttl_ms : TTL_MAX_MS);
    if (name->failing)
        log_info("the host name %s resolves again", name->host.data);
    name->failing = false;
}

/* What was known goes on being used. */
static void take_failure(struct name *name, const char *problem)
{
    name->due_ms = name->names->options.loop->now_ms + AGAIN_MS;
    if (!name->failing)
        log_warning("the host name %s cannot be resolved: %s; %s", name->host.data, problem,
                    name->count > 0 ? "its last addresses are used on"
                                    : "requests get 503 until it can");
    name->failing = true;
}

static void on_answer(void *owner, const struct resolver_answer *answer)
{
    struct name *name = owner;
    name->asked = false;
    name->answered = true;
    if (answer->problem == NULL)
        take_addresses(name, answer);
    else
        take_failure(name, answer->problem);
    /* This may be the inside of resolver_ask. */
    task_schedule(name->names->options.loop, &name->names->apply);
    set_next(name->names);
}

static void ask_what_is_due(struct names *names)
{
    uint64_t now_ms = names->options.loop->now_ms;
    for (size_t i = 0; i < names->list.count; i++) {
        struct name *name = names->list.items[i];
        if (!name->wanted || name->asked || name->due_ms > now_ms)
            continue;
        name->asked = true;
        resolver_ask(names->resolver, name->host.data, on_answer, name);
    }
    set_next(names);
}

static void on_next(struct deadline *deadline)
{
    ask_what_is_due(LIST_ENTRY(deadline, struct names, next));
}

/* --- which names there are ------------------------------------------------------------------- */

static void want(struct names *names, struct strview host)
{
    struct name *name = names_find(names, host);
    if (name == NULL) {
        name = memory_zalloc(sizeof(*name));
        name->names = names;
        name->host = strview_of(memory_strndup(host.data, host.length));
        *ARRAY_PUSH(&names->list) = name;
    }
    name->wanted = true;
}

static void free_name(struct name *name)
{
    free((char *)(uintptr_t)name->host.data);
    free(name->addresses);
    free(name);
}

static void collect_names(struct names *names, const struct snapshot *snapshot)
{
    for (size_t i = 0; i < names->list.count; i++)
        names->list.items[i]->wanted = false;
    for (uint32_t i = 0; i < snapshot->backend_count; i++) {
        for (uint32_t k = 0; k < snapshot->backends[i].name_count; k++) {
            struct strview host = snapshot->backends[i].names[k].host;
            if (host.length > 0)
                want(names, host);
        }
    }
}

/* One that is asked about at the moment waits for a later time. */
static void drop_unwanted(struct names *names)
{
    size_t kept = 0;
    for (size_t i = 0; i < names->list.count; i++) {
        struct name *name = names->list.items[i];
        if (name->wanted || name->asked)
            names->list.items[kept++] = name;
        else
            free_name(name);
    }
    names->list.count = kept;
}

static bool is_same_server(const struct address *left, const struct address *right)
{
    return left->length == right->length &&
           memcmp(&left->socket, &right->socket, left->length) == 0;
}

/* The system's configuration is read again with every reload, as ours is. */
static void renew_resolver(struct names *names, const struct address *server)
{
    struct fault fault;
    struct resolver *resolver =
        resolver_new(names->options.loop, server->length > 0 ? server : NULL, &fault);
    if (resolver == NULL) {
        log_error("%s", fault.text);
        return;
    }
    resolver_free(names->resolver);
    names->resolver = resolver;
    for (size_t i = 0; i < names->list.count; i++) {
        struct name *name = names->list.items[i];
        if (name->asked || !is_same_server(&names->server, server))
            name->due_ms = 0;
        name->asked = false;
    }
    names->server = *server;
}

void names_publish(struct names *names, struct snapshot *snapshot)
{
    if (names == NULL)
        return;
    struct snapshot *old = names->snapshot;
    names->snapshot = snapshot_ref(snapshot);
    collect_names(names, snapshot);
    drop_unwanted(names);
    if (names->list.count > 0) {
        renew_resolver(names, &snapshot->resolver);
        ask_what_is_due(names);
    }
    snapshot_unref(old);
}

/* --- life ------------------------------------------------------------------------------------ */

static void run_apply(struct task *task)
{
    names_apply(LIST_ENTRY(task, struct names, apply));
}

struct names *names_new(const struct names_options *options)
{
    struct names *names = memory_zalloc(sizeof(*names));
    names->options = *options;
    task_init(&names->apply, run_apply);
    deadline_init(&names->next, on_next);
    return names;
}

void names_free(struct names *names)
{
    if (names == NULL)
        return;
    task_cancel(&names->apply);
    deadline_stop(&names->next);
    resolver_free(names->resolver);
    for (size_t i = 0; i < names->list.count; i++)
        free_name(names->list.items[i]);
    free(names->list.items);
    snapshot_unref(names->snapshot);
    free(names);
}
