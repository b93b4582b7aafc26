#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proxy/compare/json_tree.h"
#include "proxy/shadow/redact.h"

static struct arena arena;
static struct redaction redaction;
static struct path_pattern patterns[2];
static const struct strview headers_to_hide[] = {STRVIEW("x-api-key")};
static struct redact_rules rules = {.headers = headers_to_hide, .header_count = 1};

static int begin(void **state)
{
    (void)state;
    arena_init(&arena, NULL);
    rules.places = (struct path_pattern_list){patterns, 0};
    redaction_init(&redaction, &rules, 42, &arena);
    return 0;
}

static int end(void **state)
{
    (void)state;
    arena_done(&arena);
    return 0;
}

static void add_header(const char *name, const char *value)
{
    struct headers headers;
    headers_init(&headers);
    headers_add(&headers, &arena, header_token_of(strview_of(name)), strview_of(name),
                strview_of(value));
    redaction_add_headers(&redaction, &headers);
}

static bool contains(struct strview text, const char *word)
{
    return memmem(text.data, text.length, word, strlen(word)) != NULL;
}

static struct strview redacted(const char *text)
{
    return redact_text(&redaction, strview_of(text));
}

static void hide_place(const char *text)
{
    const char *fault;
    size_t offset;
    struct path_pattern *pattern = &patterns[rules.places.count];
    assert_true(path_pattern_compile(strview_of(text), pattern, &fault, &offset));
    rules.places.count++;
}

static void credentials_are_taken_out_wherever_they_stand(void **state)
{
    (void)state;
    add_header("authorization", "Bearer abcdef123456");
    add_header("cookie", "sid=session-1; theme=dark-mode;  x=12345678");
    add_header("set-cookie", "fresh=made-just-now; Path=/; HttpOnly");
    struct strview text = redacted("a abcdef123456 b session-1,made-just-now 12345678 Path=/ z");
    assert_false(contains(text, "abcdef123456"));
    assert_false(contains(text, "session-1"));
    assert_false(contains(text, "made-just-now"));
    assert_false(contains(text, "12345678"));
    assert_true(contains(text, "Path=/ z"));
    assert_true(contains(text, "(redacted "));
}

static void equal_secrets_stay_equal(void **state)
{
    (void)state;
    add_header("cookie", "a=secret-one; b=secret-two");
    struct strview once = redacted("secret-one");
    assert_true(strview_equal(once, redacted("secret-one")));
    assert_false(strview_equal(once, redacted("secret-two")));
}

static void the_longest_secret_wins(void **state)
{
    (void)state;
    add_header("cookie", "a=secret; b=secret-and-more");
    assert_false(contains(redacted("secret-and-more"), "and-more"));
}

static void places_in_json_are_secrets_too(void **state)
{
    (void)state;
    hide_place("$..password");
    redaction_add_json(&redaction, STRVIEW("{\"a\":{\"password\":\"with \\\"quotes\\\"\"},"
                                           "\"password\":[\"deep-one\",1234567]}"));
    struct strview text = redacted("with \"quotes\" deep-one 1234567 rest");
    assert_false(contains(text, "quotes"));
    assert_false(contains(text, "deep-one"));
    assert_false(contains(text, "1234567"));
    assert_true(contains(text, "rest"));
}

static void cookies_may_be_quoted_and_without_a_name(void **state)
{
    (void)state;
    add_header("cookie", "a=\"in-quotes\"; without-a-name");
    assert_false(contains(redacted("x in-quotes y"), "quotes"));
    assert_false(contains(redacted("x without-a-name y"), "name"));
}

static void a_basic_password_is_found_decoded(void **state)
{
    (void)state;
    add_header("authorization", "basic YW5uYTpmb3VuZCBvdXQ="); /* anna:found out */
    assert_false(contains(redacted("it was \"found out\"."), "found"));
    assert_false(contains(redacted("YW5uYTpmb3VuZCBvdXQ="), "YW5u"));
    assert_true(contains(redacted("anna: hello"), "anna"));
    add_header("authorization", "Basic !");
    add_header("authorization", "Basic");
}

static void fields_of_forms_are_places_at_the_top(void **state)
{
    (void)state;
    hide_place("$.password");
    hide_place("$..key");
    redaction_add_form(
        &redaction, STRVIEW("name=public-name&pass%77ord=two+words%21&&password&key=%2Fkey%2Fkey"));
    assert_false(contains(redacted("a two words! b"), "words"));
    assert_false(contains(redacted("a two%20words%21 b"), "words"));
    assert_false(contains(redacted("a /key/key b"), "key"));
    assert_true(contains(redacted("a public-name b"), "public-name"));
}

static void nothing_is_shown_of_json_that_cannot_be_read(void **state)
{
    (void)state;
    struct strview cut = STRVIEW("\xef\xbb\xbf {\"password\":\"abcdef\",\"a\":");
    assert_true(strview_equal(redact_body(&redaction, cut), cut));
    hide_place("$.password");
    assert_false(contains(redact_body(&redaction, cut), "abcdef"));
    assert_false(
        contains(redact_body(&redaction, STRVIEW(")]}',\n{\"password\":\"abcdef\"}")), "abcdef"));
    assert_true(contains(redact_body(&redaction, STRVIEW("<p>abcdef</p>")), "abcdef"));
}

static const char *redacted_body(const char *body)
{
    return redact_body(&redaction, strview_of(body)).data;
}

static void a_body_of_json_stays_json(void **state)
{
    (void)state;
    hide_place("$..pin");
    hide_place("$.user");
    add_header("cookie", "sid=a/long/secret; n=1234567");
    struct strview body = redact_body(
        &redaction,
        STRVIEW("{\"pin\":42,\"user\":{\"a\":\"x\",\"b\":[true,null]},\"c\":\"a\\/long\\/secret\","
                "\"d\":12345678,\"e\":[1,\"<a\\u002flong\\/secret>\"],\"a/long/secret\":7}"));
    struct json_tree tree;
    assert_null(json_tree_read(&arena, body, &tree));
    static const char *const words[] = {"42",   "\"x\"",  "true",    "null",
                                        "long", "secret", "12345678"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        assert_false(contains(body, words[i]));
    assert_true(contains(body, "\"e\":[1,"));
    assert_true(contains(body, ":7}"));
    assert_string_equal(redacted_body("no JSON"), "no JSON");
}

static void other_spellings_of_a_secret_are_found(void **state)
{
    (void)state;
    add_header("cookie", "a=s%3Aabc%2Bdef; b=x&y<z>\"q\"; c=p+q/r==");
    add_header("x-api-key", "key-of-mine");
    struct strview text = redacted("s%3Aabc%2Bdef s:abc+def s%3aabc%2bdef x&y<z>\"q\" "
                                   "x&amp;y&lt;z&gt;&quot;q&quot; p%2Bq%2Fr%3D%3D key-of-mine");
    static const char *const words[] = {"abc", "def", "&y", "amp", "y&lt", "p%2B", "mine"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        assert_false(contains(text, words[i]));
}

static void short_words_are_left_and_too_many_secrets_hide_everything(void **state)
{
    (void)state;
    add_header("cookie", "a=1; b=dark");
    assert_true(strview_equal(redacted("1 dark"), STRVIEW("1 dark")));
    for (unsigned i = 0; i <= REDACT_SECRETS_MAX; i++)
        add_header("cookie", arena_printf(&arena, "a=long-enough-%u", i).data);
    assert_true(strview_equal(redacted("nothing secret"), STRVIEW("(redacted)")));
}

static void fields_and_queries_lose_their_values(void **state)
{
    (void)state;
    struct headers headers;
    headers_init(&headers);
    headers_add(&headers, &arena, HEADER_OTHER, STRVIEW("x-a"), STRVIEW("plain"));
    headers_add(&headers, &arena, HEADER_SET_COOKIE, STRVIEW("set-cookie"), STRVIEW("a=b"));
    headers_add(&headers, &arena, HEADER_OTHER, STRVIEW("x-api-key"), STRVIEW("short"));
    struct strview lines = redact_headers(&redaction, &headers);
    assert_true(contains(lines, "x-a: plain\n"));
    assert_false(contains(lines, "short"));
    assert_false(contains(lines, "a=b"));
    struct strview query = redact_query(STRVIEW("?token=abc&page=2&flag"), &arena);
    assert_true(strview_equal(query, STRVIEW("?token=…&page=…&flag")));
    assert_int_equal(redact_query(STRVIEW(""), &arena).length, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(credentials_are_taken_out_wherever_they_stand, begin, end),
        cmocka_unit_test_setup_teardown(equal_secrets_stay_equal, begin, end),
        cmocka_unit_test_setup_teardown(the_longest_secret_wins, begin, end),
        cmocka_unit_test_setup_teardown(places_in_json_are_secrets_too, begin, end),
        cmocka_unit_test_setup_teardown(cookies_may_be_quoted_and_without_a_name, begin, end),
        cmocka_unit_test_setup_teardown(a_basic_password_is_found_decoded, begin, end),
        cmocka_unit_test_setup_teardown(fields_of_forms_are_places_at_the_top, begin, end),
        cmocka_unit_test_setup_teardown(nothing_is_shown_of_json_that_cannot_be_read, begin, end),
        cmocka_unit_test_setup_teardown(a_body_of_json_stays_json, begin, end),
        cmocka_unit_test_setup_teardown(other_spellings_of_a_secret_are_found, begin, end),
        cmocka_unit_test_setup_teardown(short_words_are_left_and_too_many_secrets_hide_everything,
                                        begin, end),
        cmocka_unit_test_setup_teardown(fields_and_queries_lose_their_values, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
