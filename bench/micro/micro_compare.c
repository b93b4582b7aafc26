/* micro_compare [--count N]: two answers of the forum's kinds and sizes, equal and different. */
#include "bench/micro/stopwatch.h"
#include "proxy/compare/comparison.h"

enum { TEXT_BYTES_MAX = 64 * 1024, ENTRIES = 50 };

static char texts[2][TEXT_BYTES_MAX];

static int write_entry(char *text, size_t room, bool is_json, int i, const char *ending)
{
    if (is_json)
        return snprintf(text, room,
                        "{\"id\":%d,\"likes\":%d,\"author\":\"somebody\",\"body\":\"Words.%s\"},",
                        i, i * 7, ending);
    return snprintf(
        text, room,
        "<li class=\"post\"><a href=\"/forum/threads/%d\">Subject %d</a><p>Words.%s</li>\n", i,
        i * 7, ending);
}

/* A list of ENTRIES posts; a text of the last one ends in `ending`. */
static struct strview write_text(char *text, bool is_json, const char *ending)
{
    size_t length = (size_t)snprintf(text, TEXT_BYTES_MAX, "%s", is_json ? "[" : "<ul>");
    for (int i = 0; i < ENTRIES; i++)
        length += (size_t)write_entry(text + length, TEXT_BYTES_MAX - length, is_json, i,
                                      i == ENTRIES - 1 ? ending : "");
    length +=
        (size_t)snprintf(text + length, TEXT_BYTES_MAX - length, "%s", is_json ? "null]" : "</ul>");
    return strview_make(text, length);
}

static void measure(const char *what, bool is_json, const char *ending, uint64_t count)
{
    static const struct compare_rules rules = {.status = true};
    struct arena_pool pool;
    arena_pool_init(&pool, 64);
    struct strview type = is_json ? STRVIEW("application/json") : STRVIEW("text/html");
    struct strview first = write_text(texts[0], is_json, "");
    struct strview second = write_text(texts[1], is_json, ending);
    uint64_t sum = 0;
    uint64_t start = now_ns();
    for (uint64_t i = 0; i < count; i++) {
        struct arena arena;
        struct headers headers;
        struct comparison comparison;
        arena_init(&arena, &pool);
        headers_init(&headers);
        headers_add(&headers, &arena, HEADER_CONTENT_TYPE, STRVIEW("content-type"), type);
        comparison_run(&rules, &(struct compared_answer){200, &headers, first, true},
                       &(struct compared_answer){200, &headers, second, true}, &arena, &comparison);
        sum += comparison.end;
        arena_done(&arena);
    }
    report(what, start, count, sum);
    printf("  %zu bytes each\n", first.length);
    arena_pool_done(&pool);
}

int main(int argc, char **argv)
{
    uint64_t count = argument_number(argc, argv, "--count", 10000);
    measure("JSON, equal", true, "", count);
    measure("JSON, one field apart", true, "!", count);
    measure("HTML, equal", false, "", count);
    measure("HTML, one text apart", false, "!", count);
    return 0;
}
