#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proxy/http/path.h"

struct canonical_row {
    const char *target;
    enum path_kind kind;
    const char *path;
    const char *query;
};

static void assert_view(struct strview view, const char *text)
{
    assert_int_equal(view.length, strlen(text));
    assert_memory_equal(view.length > 0 ? view.data : "", text, view.length);
}

static void assert_canonical(const struct canonical_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct arena arena;
        arena_init(&arena, NULL);
        struct strview path = STRVIEW_NONE;
        struct strview query = STRVIEW_NONE;
        enum path_kind kind = path_canonical(&arena, strview_of(rows[i].target), &path, &query);
        if (kind != rows[i].kind)
            fail_msg("%s is kind %d, not %d", rows[i].target, (int)kind, (int)rows[i].kind);
        assert_view(path, rows[i].path);
        assert_view(query, rows[i].query);
        arena_done(&arena);
    }
}

#define ASSERT_CANONICAL(rows) assert_canonical(rows, sizeof(rows) / sizeof(rows[0]))

static void dot_segments_and_unreserved_encodings_are_resolved(void **state)
{
    (void)state;
    static const struct canonical_row rows[] = {
        {"/", PATH_CANONICAL, "/", ""},
        {"/a/b/c", PATH_CANONICAL, "/a/b/c", ""},
        {"/a/./b", PATH_CANONICAL, "/a/b", ""},
        {"/a/../b", PATH_CANONICAL, "/b", ""},
        {"/a/b/..", PATH_CANONICAL, "/a/", ""},
        {"/a/b/.", PATH_CANONICAL, "/a/b/", ""},
        {"/..", PATH_CANONICAL, "/", ""},
        {"/../../a", PATH_CANONICAL, "/a", ""},
        {"/a//../b", PATH_CANONICAL, "/a/b", ""},
        {"/a//b", PATH_CANONICAL, "/a//b", ""},
        {"/%61%2Db%7e%5F", PATH_CANONICAL, "/a-b~_", ""},
        {"/a/%2e%2E/b", PATH_CANONICAL, "/b", ""},
        {"/a/.%2e/b", PATH_CANONICAL, "/b", ""},
        {"/caf%c3%a9", PATH_CANONICAL, "/caf%C3%A9", ""},
        {"/a%252fb", PATH_CANONICAL, "/a%252fb", ""},
        {"/.well-known/...", PATH_CANONICAL, "/.well-known/...", ""},
        {"/a;b=../c", PATH_CANONICAL, "/a;b=../c", ""},
    };
    ASSERT_CANONICAL(rows);
}

static void bytes_that_no_uri_has_are_encoded(void **state)
{
    (void)state;
    static const struct canonical_row rows[] = {
        {"/caf\xc3\xa9", PATH_CANONICAL, "/caf%C3%A9", ""},
        {"/\xff\x80?a=\xe4&b=%e4", PATH_CANONICAL, "/%FF%80", "?a=%E4&b=%e4"},
        {"/a/../\xc3\xa9%41", PATH_CANONICAL, "/%C3%A9A", ""},
        {"/a?\xc3", PATH_CANONICAL, "/a", "?%C3"},
        {"/\xc3%2f?\xc3", PATH_AMBIGUOUS, "/\xc3%2f", "?\xc3"},
        {"/\xc3 ", PATH_INVALID, "", ""},
    };
    ASSERT_CANONICAL(rows);
}

static void the_query_is_split_off_and_not_changed(void **state)
{
    (void)state;
    static const struct canonical_row rows[] = {
        {"/a?", PATH_CANONICAL, "/a", "?"},
        {"/a?b=%61/../c?d", PATH_CANONICAL, "/a", "?b=%61/../c?d"},
        {"/a/..?x", PATH_CANONICAL, "/", "?x"},
        {"/?%2f%00\\", PATH_CANONICAL, "/", "?%2f%00\\"},
        {"/?a b", PATH_INVALID, "", ""},
        {"/?a#b", PATH_INVALID, "", ""},
        {"/?a\x01", PATH_INVALID, "", ""},
    };
    ASSERT_CANONICAL(rows);
}

static void ambiguous_paths_are_returned_unchanged(void **state)
{
    (void)state;
    static const struct canonical_row rows[] = {
        {"/a%2fb?q", PATH_AMBIGUOUS, "/a%2fb", "?q"},
        {"/a%2Fb/../%61", PATH_AMBIGUOUS, "/a%2Fb/../%61", ""},
        {"/a%5cb", PATH_AMBIGUOUS, "/a%5cb", ""},
        {"/a%5Cb", PATH_AMBIGUOUS, "/a%5Cb", ""},
        {"/a%00", PATH_AMBIGUOUS, "/a%00", ""},
        {"/a\\b", PATH_AMBIGUOUS, "/a\\b", ""},
        {"/a/..;/b", PATH_AMBIGUOUS, "/a/..;/b", ""},
        {"/a/..;x=1", PATH_AMBIGUOUS, "/a/..;x=1", ""},
        {"/a/%2e%2e;/b", PATH_AMBIGUOUS, "/a/%2e%2e;/b", ""},
    };
    ASSERT_CANONICAL(rows);
}

static void what_is_no_origin_form_is_invalid(void **state)
{
    (void)state;
    static const struct canonical_row rows[] = {
        {"", PATH_INVALID, "", ""},          {"a", PATH_INVALID, "", ""},
        {"http://a/", PATH_INVALID, "", ""}, {"?x", PATH_INVALID, "", ""},
        {"/a b", PATH_INVALID, "", ""},      {"/a#b", PATH_INVALID, "", ""},
        {"/a\tb", PATH_INVALID, "", ""},     {"/a\x7f", PATH_INVALID, "", ""},
        {"/%", PATH_INVALID, "", ""},        {"/%4", PATH_INVALID, "", ""},
        {"/%zz", PATH_INVALID, "", ""},      {"/%2%66", PATH_INVALID, "", ""},
        {"/%u002f", PATH_INVALID, "", ""},   {"/%2f\n", PATH_INVALID, "", ""},
        {"*", PATH_ASTERISK, "*", ""},       {"**", PATH_INVALID, "", ""},
    };
    ASSERT_CANONICAL(rows);
}

static void an_unchanged_path_is_a_view_of_the_target(void **state)
{
    (void)state;
    static const char target[] = "/api/v1/users/42?x=1";
    struct arena arena;
    arena_init(&arena, NULL);
    struct strview path;
    struct strview query;
    path_canonical(&arena, strview_of(target), &path, &query);
    assert_ptr_equal(path.data, target);
    assert_ptr_equal(query.data, target + path.length);
    assert_ptr_equal(path_folded(&arena, path).data, target);
    assert_int_equal(arena.bytes, 0);
    arena_done(&arena);
}

static void a_folded_path_is_what_a_tolerant_reader_might_see(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        const char *folded;
        const char *literal;
    } rows[] = {
        {"/internal", "/internal", "/internal"},
        {"//internal", "/internal", "/internal"},
        {"/INTERNAL;x", "/internal", "/internal"},
        {"/%69nternal", "/internal", "/internal"},
        {"/internal%2f", "/internal/", "/internal/"},
        {"/internal%00", "/internal", "/internal"},
        {"/internal%00.png", "/internal", "/internal"},
        {"/internal%3fx", "/internal", "/internal"},
        {"/internal%23x", "/internal", "/internal"},
        {"\\internal\\x", "/internal/x", "/internal/x"},
        {"/%5cinternal", "/internal", "/internal"},
        {"/a/..;/internal", "/internal", "/a/../internal"},
        {"/a/..%3b/internal", "/internal", "/a/../internal"},
        {"/a%2f..%2finternal", "/internal", "/a/../internal"},
        {"/a/%252e%252e/internal", "/internal", "/a/../internal"},
        {"/%2569nternal", "/internal", "/internal"},
        {"/%25252569nternal", "/internal", "/internal"},
        {"/%25%36%39nternal", "/internal", "/internal"},
        {"/;x/internal;/y", "/internal/y", "/internal/y"},
        {"/%25zz", "/%zz", "/%zz"},
        {"", "/", "/"},
        {"a", "/a", "/a"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct arena arena;
        arena_init(&arena, NULL);
        assert_view(path_folded(&arena, strview_of(rows[i].path)), rows[i].folded);
        assert_view(path_folded_literal(&arena, strview_of(rows[i].path)), rows[i].literal);
        arena_done(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dot_segments_and_unreserved_encodings_are_resolved),
        cmocka_unit_test(bytes_that_no_uri_has_are_encoded),
        cmocka_unit_test(the_query_is_split_off_and_not_changed),
        cmocka_unit_test(ambiguous_paths_are_returned_unchanged),
        cmocka_unit_test(what_is_no_origin_form_is_invalid),
        cmocka_unit_test(an_unchanged_path_is_a_view_of_the_target),
        cmocka_unit_test(a_folded_path_is_what_a_tolerant_reader_might_see),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
