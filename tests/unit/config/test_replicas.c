/*
 * The whole decision for very many people: nobody at 0 percent, everybody at 100, and two processes
 * with the same files agree about each. The test starts itself a second time for that.
 */
#include "tests/unit/config/config_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proxy/routing/bucket.h"

enum { EVERYBODY = 10000000, REPLICATED = 1000000, NAME_BYTES = 16, CHUNK = 100000 };

static const char other_process[] = "sides";

/* "user-1234567", without the cost of printf. */
static struct strview name_of(uint32_t number, char text[static NAME_BYTES])
{
    char *at = text + NAME_BYTES;
    do {
        *--at = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    at -= 5;
    memcpy(at, "user-", 5);
    return strview_make(at, (size_t)(text + NAME_BYTES - at));
}

static void nobody_at_0_percent_and_everybody_at_100(void **state)
{
    (void)state;
    struct module module = {
        .name = STRVIEW("users"), .cohort = STRVIEW("users"), .stage = STAGE_RAMP};
    struct identity identity = {.kind = IDENTITY_HEADER};
    const struct cutover_facts facts = {.identity = &identity};
    uint32_t nobody = 0;
    uint32_t everybody = 0;
    for (uint32_t i = 0; i < EVERYBODY; i++) {
        char text[NAME_BYTES];
        identity.value = name_of(i, text);
        module.threshold = 0;
        nobody += cutover_decide(&module, &facts).side == SIDE_EXTRACTED ? 1 : 0;
        module.threshold = BUCKET_COUNT;
        everybody += cutover_decide(&module, &facts).side == SIDE_EXTRACTED ? 1 : 0;
    }
    assert_int_equal(nobody, 0);
    assert_int_equal(everybody, EVERYBODY);
}

/* --- two processes --------------------------------------------------------------------------- */

static struct loaded load(void)
{
    struct loaded loaded;
    loaded_from_text(&loaded,
                     "listeners: { plain: { address = \"127.0.0.1:8080\"; }; };\n"
                     "backends: { m: { endpoints = [ \"127.0.0.1:3000\" ]; };\n"
                     "            u: { endpoints = [ \"127.0.0.1:3001\" ]; }; };\n"
                     "default = \"m\"; identity = [ \"header:x-user\", \"address\" ];\n"
                     "modules: { users: { legacy = \"m\"; extracted = \"u\"; stage = \"ramp\";\n"
                     "  percent = 33.3333; routes: { a: { prefix = \"/users\"; }; }; }; };\n");
    return loaded;
}

/* The side of each: 'l' or 'e'. */
static void decide_chunk(const struct snapshot *snapshot, struct match_scratch *scratch,
                         uint32_t first, char sides[static CHUNK])
{
    struct arena arena;
    arena_init(&arena, NULL);
    struct request_head request = {.method = METHOD_GET,
                                   .authority = STRVIEW("a.org"),
                                   .path = STRVIEW("/users/1"),
                                   .path_kind = PATH_CANONICAL};
    headers_add(&request.headers, &arena, HEADER_OTHER, STRVIEW("x-user"), STRVIEW_NONE);
    const struct plan_facts facts = {.now_ms = 0};
    for (uint32_t i = 0; i < CHUNK; i++) {
        char text[NAME_BYTES];
        struct plan plan;
        request.headers.fields[0].value = name_of(first + i, text);
        plan_request(&snapshot->rules, &request, &facts, &arena, scratch, &plan);
        sides[i] = plan.side == SIDE_EXTRACTED ? 'e' : 'l';
    }
    arena_done(&arena);
}

/* The other process writes what it decides on its standard output. */
static int write_sides(void)
{
    static char sides[CHUNK];
    struct loaded loaded = load();
    struct match_scratch *scratch = match_scratch_new();
    bool good = loaded.snapshot != NULL;
    for (uint32_t first = 0; good && first < REPLICATED; first += CHUNK) {
        decide_chunk(loaded.snapshot, scratch, first, sides);
        good = fwrite(sides, 1, CHUNK, stdout) == CHUNK;
    }
    match_scratch_free(scratch);
    loaded_done(&loaded);
    return good && fflush(stdout) == 0 ? 0 : 1;
}

static pid_t start_other(FILE **ret_sides)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        dup2(ends[1], STDOUT_FILENO);
        close(ends[0]);
        close(ends[1]);
        execl("/proc/self/exe", "replica", other_process, (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    *ret_sides = fdopen(ends[0], "r");
    assert_non_null(*ret_sides);
    return pid;
}

static void two_processes_agree_on_a_million_identities(void **state)
{
    (void)state;
    static char ours[CHUNK];
    static char theirs[CHUNK];
    FILE *other;
    pid_t pid = start_other(&other);
    struct loaded loaded = load();
    assert_non_null(loaded.snapshot);
    struct match_scratch *scratch = match_scratch_new();
    uint32_t extracted = 0;
    for (uint32_t first = 0; first < REPLICATED; first += CHUNK) {
        decide_chunk(loaded.snapshot, scratch, first, ours);
        assert_int_equal(fread(theirs, 1, CHUNK, other), CHUNK);
        assert_memory_equal(ours, theirs, CHUNK);
        for (uint32_t i = 0; i < CHUNK; i++)
            extracted += ours[i] == 'e' ? 1 : 0;
    }
    assert_in_range(extracted, REPLICATED / 3 - 5000, REPLICATED / 3 + 5000);
    int status = -1;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    fclose(other);
    match_scratch_free(scratch);
    loaded_done(&loaded);
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], other_process) == 0)
        return write_sides();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_at_0_percent_and_everybody_at_100),
        cmocka_unit_test(two_processes_agree_on_a_million_identities),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
