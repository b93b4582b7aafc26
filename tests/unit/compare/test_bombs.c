/* Answers that are made to cost much: they end within the limits of work, time and memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "proxy/compare/json_tree.h"
#include "tests/unit/compare/compare_support.h"

/* With sanitizers on a busy machine; without the limits it would be minutes and gigabytes. */
enum { SECONDS_MAX = 20, RESIDENT_MAX_KIB = 600 * 1024 };

static const struct compare_rules plain = {.status = true};

static int done(void **state)
{
    (void)state;
    struct rusage usage;
    compare_support_done();
    getrusage(RUSAGE_SELF, &usage);
    assert_true(usage.ru_maxrss < RESIDENT_MAX_KIB);
    return 0;
}

struct text {
    char *bytes;
    size_t length;
    size_t capacity;
};

static void add(struct text *text, const char *piece, size_t times)
{
    size_t length = strlen(piece);
    while (text->length + length * times + 1 > text->capacity) {
        text->capacity = text->capacity * 2 + 4096;
        text->bytes = realloc(text->bytes, text->capacity);
        assert_non_null(text->bytes);
    }
    for (size_t i = 0; i < times; i++) {
        memcpy(text->bytes + text->length, piece, length);
        text->length += length;
    }
    text->bytes[text->length] = '\0';
}

/* The comparison of the two, which are freed, in its time. */
static const char *bombed(const char *type, struct text *first, struct text *second)
{
    clock_t began = clock();
    const char *result = compared(&plain, type, first->bytes, second->bytes);
    assert_true((clock() - began) / CLOCKS_PER_SEC < SECONDS_MAX);
    free(first->bytes);
    free(second->bytes);
    *first = *second = (struct text){.bytes = NULL};
    return result;
}

static void many_numbers_deep_down_are_not_hashed_forever(void **state)
{
    (void)state;
    struct text texts[2] = {{.bytes = NULL}};
    for (size_t i = 0; i < 2; i++) {
        add(&texts[i], "[", 60);
        add(&texts[i], "1.5,", 180000);
        add(&texts[i], i == 0 ? "1" : "2", 1);
        add(&texts[i], "]", 60);
    }
    assert_string_equal(bombed("application/json", &texts[0], &texts[1]),
                        "not comparable: too much work");
}

static void many_members_that_all_differ_are_named_in_time(void **state)
{
    (void)state;
    struct text texts[2] = {{.bytes = NULL}};
    for (size_t i = 0; i < 2; i++) {
        add(&texts[i], "{", 1);
        for (unsigned j = 0; j < 190000; j++) {
            char member[64];
            snprintf(member, sizeof(member), "%s\"%s-%06u\":%zu", j > 0 ? "," : "", "name",
                     j * 7919 % 190000, i);
            add(&texts[i], member, 1);
        }
        add(&texts[i], "}", 1);
    }
    assert_non_null(strstr(bombed("application/json", &texts[0], &texts[1]), "value $.name-"));
}

static void many_elements_without_an_equal_are_paired_in_time(void **state)
{
    (void)state;
    static const char *const unordered[] = {"$..*", NULL};
    struct compare_rules rules = rules_with(NULL, unordered);
    struct text texts[2] = {{.bytes = NULL}};
    for (size_t i = 0; i < 2; i++) {
        add(&texts[i], "{\"a\":[{}", 1);
        add(&texts[i], i == 0 ? ",{\"a\":1,\"b\":2}" : ",{\"a\":3,\"b\":4}", 60000);
        add(&texts[i], "]}", 1);
    }
    clock_t began = clock();
    assert_string_equal(compared(&rules, "application/json", texts[0].bytes, texts[1].bytes),
                        "value $.a[*].a; value $.a[*].b");
    assert_true((clock() - began) / CLOCKS_PER_SEC < SECONDS_MAX);
    free(texts[0].bytes);
    free(texts[1].bytes);
}

static void long_numbers_names_and_texts_are_compared_in_time(void **state)
{
    (void)state;
    enum { SIZE = 1024 * 1024 };
    struct text texts[2] = {{.bytes = NULL}};
    for (size_t i = 0; i < 2; i++) {
        add(&texts[i], "{\"", 1);
        add(&texts[i], "k", SIZE);
        add(&texts[i], "\":[", 1);
        add(&texts[i], "7", SIZE);
        add(&texts[i], i == 0 ? ".50," : ".5,", 1);
        add(&texts[i], "\"", 1);
        add(&texts[i], "\\u0041", SIZE / 6);
        add(&texts[i], i == 0 ? "\"]}" : "B\"]}", 1);
    }
    assert_string_equal(bombed("application/json", &texts[0], &texts[1]), "value $.…");
}

static void pages_with_long_names_are_compared_in_time(void **state)
{
    (void)state;
    struct text texts[2] = {{.bytes = NULL}};
    for (size_t i = 0; i < 4; i++) {
        add(&texts[0], "<div class=", 1);
        add(&texts[0], "c", 100000);
        add(&texts[0], ">", 1);
    }
    add(&texts[1], texts[0].bytes, 1);
    add(&texts[0], "<i>", 30000);
    add(&texts[1], "<b>", 30000);
    assert_non_null(strstr(bombed("text/html", &texts[0], &texts[1]), "html: div.cccccc"));
}

static void pages_of_attributes_alone_are_too_large(void **state)
{
    (void)state;
    struct text texts[2] = {{.bytes = NULL}};
    add(&texts[0], "<p a b c d e f g h i j k l m n o p q r s t u v w x y z>", 50000);
    add(&texts[1], "<p>", 1);
    assert_string_equal(bombed("text/html", &texts[0], &texts[1]),
                        "not comparable: too many attributes");
}

static void pages_that_agree_nowhere_are_too_much_work(void **state)
{
    (void)state;
    struct text texts[2] = {{.bytes = NULL}};
    for (unsigned i = 0; i < 60000; i++) {
        char piece[32];
        snprintf(piece, sizeof(piece), "<x%u>", i);
        add(&texts[0], piece, 1);
        snprintf(piece, sizeof(piece), "<y%u>", i);
        add(&texts[1], piece, 1);
    }
    const char *result = bombed("text/html", &texts[0], &texts[1]);
    assert_true(strstr(result, "not comparable: too much work") != NULL ||
                strstr(result, "value html:") != NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(many_numbers_deep_down_are_not_hashed_forever, done),
        cmocka_unit_test_teardown(many_members_that_all_differ_are_named_in_time, done),
        cmocka_unit_test_teardown(many_elements_without_an_equal_are_paired_in_time, done),
        cmocka_unit_test_teardown(long_numbers_names_and_texts_are_compared_in_time, done),
        cmocka_unit_test_teardown(pages_with_long_names_are_compared_in_time, done),
        cmocka_unit_test_teardown(pages_of_attributes_alone_are_too_large, done),
        cmocka_unit_test_teardown(pages_that_agree_nowhere_are_too_much_work, done),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
