/* micro_path [--count N]: canonical and folded form of paths that need a change and of others. */
#include "bench/micro/stopwatch.h"
#include "proxy/http/path.h"

static void measure(const char *what, const char *text, uint64_t count, bool folded)
{
    struct arena_pool pool;
    arena_pool_init(&pool, 4);
    struct strview target = strview_of(text);
    uint64_t sum = 0;
    uint64_t start = now_ns();
    for (uint64_t i = 0; i < count; i++) {
        struct arena arena;
        struct strview path = target;
        struct strview query;
        arena_init(&arena, &pool);
        if (folded)
            path = path_folded(&arena, target);
        else
            path_canonical(&arena, target, &path, &query);
        sum += path.length;
        arena_done(&arena);
    }
    report(what, start, count, sum);
    arena_pool_done(&pool);
}

int main(int argc, char **argv)
{
    uint64_t count = argument_number(argc, argv, "--count", 5000000);
    measure("canonical, unchanged", "/api/v1/threads/12345/posts?page=2", count, false);
    measure("canonical, rebuilt", "/api/v1/./threads/%31%32345/x/../posts?page=2", count, false);
    measure("folded, unchanged", "/api/v1/threads/12345/posts", count, true);
    measure("folded, rebuilt", "//api/V1/threads;x/%31%32345/posts", count, true);
    return 0;
}
