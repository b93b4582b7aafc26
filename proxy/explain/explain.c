#include "proxy/explain/explain.h"

#include <sys/random.h>
#include <time.h>

#include "proxy/explain/explain_internal.h"

static bool is_trusted(const void *context, struct strview text)
{
    const struct snapshot *snapshot = context;
    struct ip_address ip;
    return ip_parse(text, &ip) &&
           cidr_list_contains(snapshot->trusted_proxies, snapshot->trusted_proxy_count, &ip);
}

/* Behind a trusted proxy: the last address in x-forwarded-for that is none of ours. */
static void find_client(struct explanation *explanation)
{
    const struct snapshot *snapshot = explanation->snapshot;
    if (!cidr_list_contains(snapshot->trusted_proxies, snapshot->trusted_proxy_count,
                            &explanation->client))
        return;
    struct strview text = forwarding_client_text(&explanation->request, is_trusted, snapshot);
    struct ip_address ip;
    if (ip_parse(text, &ip))
        explanation->client = ip;
}

/* The first source in the list that gives something, as identity_of goes through it. */
static const struct identity_source *find_source(const struct explanation *explanation,
                                                 const struct identity_facts *facts,
                                                 struct arena *arena)
{
    const struct plan_rules *rules = &explanation->snapshot->rules;
    for (size_t i = 0; i < rules->identity_count; i++) {
        struct identity identity =
            identity_of(&rules->identity[i], 1, &explanation->request, facts, arena);
        if (identity.value.length > 0)
            return &rules->identity[i];
    }
    return NULL;
}

/* Does the refusing route take the path as it was asked for, or only another spelling of it? */
static bool is_guard_by_spelling(const struct explanation *explanation,
                                 struct match_scratch *scratch)
{
    const struct plan *plan = &explanation->plan;
    if (plan->reason != REASON_DENY)
        return false;
    return explanation->request.path_kind != PATH_CANONICAL ||
           route_table_find(explanation->snapshot->routes, &explanation->request, scratch) !=
               plan->route;
}

static void plan(struct explanation *explanation, struct arena *arena)
{
    uint8_t random[IDENTITY_RANDOM_BYTES] = {0};
    if (getrandom(random, sizeof(random), GRND_NONBLOCK) < 0)
        random[0] = 1; /* any visitor serves as an example */
    find_client(explanation);
    explanation->plan.reason = REASON_REJECTED;
    explanation->plan.is_write = !http_method_is_read(explanation->request.method);
    explanation->verdict = request_check(&explanation->request, &explanation->snapshot->limits);
    if (explanation->verdict.status != 0)
        return;
    struct match_scratch *scratch = match_scratch_new();
    const struct plan_facts facts = {
        .client = explanation->client, .random = random, .now_ms = explanation->now_ms};
    const struct identity_facts identity_facts = {.client = explanation->client, .random = random};
    plan_request(&explanation->snapshot->rules, &explanation->request, &facts, arena, scratch,
                 &explanation->plan);
    explanation->source = find_source(explanation, &identity_facts, arena);
    explanation->guard_by_spelling = is_guard_by_spelling(explanation, scratch);
    match_scratch_free(scratch);
}

static uint64_t unix_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

json_t *explain(const struct snapshot *snapshot, const struct explain_words *words,
                struct fault *fault)
{
    struct explanation explanation = {.snapshot = snapshot, .now_ms = unix_ms()};
    if (!ip_parse(words->from, &explanation.client)) {
        fault_set(fault, "a client's address is an IP address without port, not `%.*s`",
                  STRVIEW_ARGS(words->from));
        return NULL;
    }
    json_t *found = NULL;
    struct arena arena;
    arena_init(&arena, NULL);
    if (explain_make_request(snapshot, words, &arena, &explanation.request, fault)) {
        plan(&explanation, &arena);
        found = explain_json(&explanation);
    }
    arena_done(&arena);
    return found;
}
