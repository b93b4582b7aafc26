#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "proxy/core/array.h"
#include "proxy/core/list.h"

struct item {
    int number;
    struct list node;
};

static int numbers_of(const struct list *list)
{
    int digits = 0;
    for (const struct list *at = list->next; at != list; at = at->next) {
        assert_ptr_equal(at->next->previous, at);
        digits = digits * 10 + LIST_ENTRY(at, struct item, node)->number;
    }
    return digits;
}

static void items_stand_in_the_order_in_which_they_were_put(void **state)
{
    (void)state;
    struct list list;
    struct item items[4];
    list_init(&list);
    for (int i = 0; i < 4; i++)
        items[i].number = i + 1;
    list_append(&list, &items[0].node);
    list_append(&list, &items[1].node);
    list_prepend(&list, &items[2].node);
    list_append(&items[1].node, &items[3].node); /* before a node that is in a list */
    assert_int_equal(numbers_of(&list), 3142);
}

static void removing_is_safe_for_a_node_that_is_in_no_list(void **state)
{
    (void)state;
    struct list list;
    struct item item = {.number = 1};
    list_init(&list);
    list_init(&item.node);
    list_remove(&item.node);
    list_append(&list, &item.node);
    assert_false(list_is_empty(&list));
    list_remove(&item.node);
    list_remove(&item.node);
    assert_true(list_is_empty(&list));
    assert_true(list_is_empty(&item.node));
}

struct numbers {
    int *items;
    size_t count;
    size_t capacity;
};

static void a_growing_array_keeps_what_it_has_and_gives_zeroed_elements(void **state)
{
    (void)state;
    struct numbers numbers = {NULL, 0, 0};
    for (int i = 0; i < 1000; i++) {
        int *number = ARRAY_PUSH(&numbers);
        assert_int_equal(*number, 0);
        *number = i + 1;
    }
    assert_int_equal(numbers.count, 1000);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(numbers.items[i], i + 1);
    numbers.count = 1; /* what was dropped is zero when it comes again */
    assert_int_equal(*ARRAY_PUSH(&numbers), 0);
    free(numbers.items);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(items_stand_in_the_order_in_which_they_were_put),
        cmocka_unit_test(removing_is_safe_for_a_node_that_is_in_no_list),
        cmocka_unit_test(a_growing_array_keeps_what_it_has_and_gives_zeroed_elements),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
