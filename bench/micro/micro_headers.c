/*
 * micro_headers [--count N]: the fields of a browser's request, named, kept and listed again as
 * they are for each message that passes: bytes into the arena, a token for each name.
 */
#include "bench/micro/stopwatch.h"
#include "proxy/http/headers.h"

enum { PAIRS = 12 };

static const struct strview fields[PAIRS][2] = {
    {STRVIEW(":method"), STRVIEW("GET")},
    {STRVIEW(":scheme"), STRVIEW("https")},
    {STRVIEW(":authority"), STRVIEW("forum.example.org")},
    {STRVIEW(":path"), STRVIEW("/forum/threads/12345?page=2")},
    {STRVIEW("user-agent"), STRVIEW("Mozilla/5.0 (X11; Linux x86_64; rv:109.0) Gecko Firefox/115")},
    {STRVIEW("accept"), STRVIEW("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8")},
    {STRVIEW("accept-language"), STRVIEW("en-US,en;q=0.5")},
    {STRVIEW("accept-encoding"), STRVIEW("gzip, deflate, br")},
    {STRVIEW("referer"), STRVIEW("https://forum.example.org/forum/")},
    {STRVIEW("cookie"), STRVIEW("session=0123456789abcdef0123456789abcdef; theme=dark")},
    {STRVIEW("sec-fetch-mode"), STRVIEW("navigate")},
    {STRVIEW("upgrade-insecure-requests"), STRVIEW("1")},
};

static uint64_t copy_all(struct arena *arena)
{
    struct headers headers;
    headers_init(&headers);
    for (size_t i = 0; i < PAIRS; i++)
        headers_add(&headers, arena, header_token_of(fields[i][0]), arena_copy(arena, fields[i][0]),
                    arena_copy(arena, fields[i][1]));
    return headers.bytes;
}

int main(int argc, char **argv)
{
    uint64_t count = argument_number(argc, argv, "--count", 2000000);
    struct arena_pool pool;
    arena_pool_init(&pool, 4);
    uint64_t sum = 0;
    uint64_t start = now_ns();
    for (uint64_t i = 0; i < count; i++) {
        struct arena arena;
        arena_init(&arena, &pool);
        sum += copy_all(&arena);
        arena_done(&arena);
    }
    report("12 fields copied", start, count, sum);
    arena_pool_done(&pool);
    return 0;
}
