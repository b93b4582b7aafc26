#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proxy/control/journal.h"
#include "tests/unit/control/state_folder.h"

static struct journal *open_in(const struct state_folder *folder)
{
    struct fault fault;
    struct journal *journal = journal_open(folder->path, &fault);
    if (journal == NULL)
        fail_msg("%s", fault.text);
    return journal;
}

/* A module with something of everything that the journal keeps. */
static struct live_module changed_module(void)
{
    struct live_note note = {.who = "ada", .why = "because \"so\"; 'yes'", .unix_ms = 17};
    struct live_module module = {
        .name = "users",
        .overrides[LIVE_STAGE] = {.on = true,
                                  .file = STAGE_LEGACY,
                                  .running = STAGE_RAMP,
                                  .note = note},
        .overrides[LIVE_PERCENT] = {.on = true, .file = 0, .running = 123456, .note = note},
        .latch = {.on = true, .note = note},
        .freeze = {.until_unix_ms = 1700000000000, .note = note},
        .pending = {.entry = 5,
                    .key = LIVE_STAGE,
                    .value = STAGE_RAMP,
                    .back_to = STAGE_LEGACY,
                    .revert_at_unix_ms = 1700000000001},
    };
    return module;
}

static void put(struct journal *journal, const struct live_module *module)
{
    struct fault fault;
    assert_true(journal_begin(journal, &fault));
    assert_true(journal_put_module(journal, module, &fault));
    assert_true(journal_commit(journal, &fault));
}

static struct live_state *load(struct journal *journal)
{
    struct fault fault;
    struct live_state *live = live_state_new();
    if (!journal_load(journal, live, &fault))
        fail_msg("%s", fault.text);
    return live;
}

static void a_module_is_read_as_it_was_written(void **state)
{
    (void)state;
    struct state_folder folder;
    state_folder_init(&folder);
    struct live_module module = changed_module();
    struct journal *journal = open_in(&folder);
    put(journal, &module);
    journal_close(journal);
    journal = open_in(&folder);
    struct live_state *live = load(journal);
    const struct live_module *read = live_state_find(live, STRVIEW("users"));
    assert_non_null(read);
    module.latch.durable = true;
    assert_false(live_module_differs(read, &module));
    assert_false(read->declared);
    assert_false(read->owner_known);
    live_state_free(live);
    journal_close(journal);
    state_folder_done(&folder);
}

static void a_module_replaces_what_was_there(void **state)
{
    (void)state;
    struct state_folder folder;
    state_folder_init(&folder);
    struct journal *journal = open_in(&folder);
    struct live_module module = changed_module();
    put(journal, &module);
    struct live_module plain = {.name = "users"};
    put(journal, &plain);
    struct live_state *live = load(journal);
    assert_int_equal(live->count, 0);
    live_state_free(live);
    journal_close(journal);
    state_folder_done(&folder);
}

static void what_was_not_committed_is_not_there(void **state)
{
    (void)state;
    struct state_folder folder;
    state_folder_init(&folder);
    struct fault fault;
    struct journal *journal = open_in(&folder);
    struct live_module module = changed_module();
    struct journal_entry entry = {.verb = CHANGE_ABORT, .module = "users", .who = "", .why = ""};
    uint64_t id;
    assert_true(journal_begin(journal, &fault));
    assert_true(journal_put_module(journal, &module, &fault));
    assert_true(journal_add_entry(journal, &entry, &id, &fault));
    journal_close(journal); /* as a crash */
    journal = open_in(&folder);
    struct live_state *live = load(journal);
    uint64_t generation = 7;
    assert_int_equal(live->count, 0);
    assert_true(journal_last_generation(journal, &generation, &fault));
    assert_int_equal(generation, 0);
    live_state_free(live);
    journal_close(journal);
    state_folder_done(&folder);
}

/* --- history ------------------------------------------------------------------------------- */

static struct live_item item_of(const char *module, enum live_key key, uint64_t from, uint64_t to)
{
    struct live_item item = {.key = key, .from = from, .to = to};
    snprintf(item.module, sizeof(item.module), "%s", module);
    return item;
}

static uint64_t add(struct journal *journal, enum change_verb verb, const struct live_item *item,
                    uint64_t undo_of)
{
    struct fault fault;
    uint64_t id = 0;
    struct journal_entry entry = {.unix_ms = 1000,
                                  .verb = verb,
                                  .module = item->module,
                                  .who = "ada",
                                  .why = "why not",
                                  .generation = 30,
                                  .undo_of = undo_of,
                                  .items = item,
                                  .item_count = 1};
    assert_true(journal_begin(journal, &fault));
    assert_true(journal_add_entry(journal, &entry, &id, &fault));
    assert_true(journal_commit(journal, &fault));
    return id;
}

/* "verb module key:from>to who why undo_of/undone_by;" for each entry. */
static bool print_entry(void *context, const struct journal_entry *entry)
{
    char from[LIVE_VALUE_BYTES];
    char to[LIVE_VALUE_BYTES];
    FILE *out = context;
    fprintf(out, "%llu %.*s", (unsigned long long)entry->id,
            STRVIEW_ARGS(change_verb_name(entry->verb)));
    for (size_t i = 0; i < entry->item_count; i++) {
        const struct live_item *item = &entry->items[i];
        fprintf(out, " %s.%.*s:%s>%s", item->module, STRVIEW_ARGS(live_key_name(item->key)),
                live_value_format(item->key, item->from, from),
                live_value_format(item->key, item->to, to));
    }
    fprintf(out, " %s %llu/%llu;", entry->who, (unsigned long long)entry->undo_of,
            (unsigned long long)entry->undone_by);
    return true;
}

static void assert_history(struct journal *journal, struct journal_query query,
                           const char *expected)
{
    char text[1024] = "";
    struct fault fault;
    FILE *out = fmemopen(text, sizeof(text), "w");
    assert_non_null(out);
    assert_true(journal_history(journal, &query, print_entry, out, &fault));
    fclose(out);
    assert_string_equal(text, expected);
}

static void the_history_is_told_from_the_newest(void **state)
{
    (void)state;
    struct state_folder folder;
    state_folder_init(&folder);
    struct journal *journal = open_in(&folder);
    struct live_item items[] = {item_of("users", LIVE_PERCENT, 0, 125000),
                                item_of("posts", LIVE_ABORTED, 0, 1),
                                item_of("users", LIVE_STAGE, STAGE_RAMP, STAGE_LIVE)};
    add(journal, CHANGE_PERCENT, &items[0], 0);
    add(journal, CHANGE_ABORT, &items[1], 0);
    add(journal, CHANGE_STAGE, &items[2], 0);
    assert_history(journal, (struct journal_query){.limit = 0},
                   "3 stage users.stage:ramp>live ada 0/0;"
                   "2 abort posts.aborted:no>yes ada 0/0;"
                   "1 percent users.percent:0>12.5 ada 0/0;");
    assert_history(journal, (struct journal_query){.limit = 1},
                   "3 stage users.stage:ramp>live ada 0/0;");
    assert_history(journal, (struct journal_query){.first = 2, .limit = 1},
                   "2 abort posts.aborted:no>yes ada 0/0;");
    assert_history(journal, (struct journal_query){.module = STRVIEW("users"), .first = 2},
                   "1 percent users.percent:0>12.5 ada 0/0;");
    assert_history(journal, (struct journal_query){.module = STRVIEW("nobody")}, "");
    uint64_t generation = 0;
    struct fault fault;
    assert_true(journal_last_generation(journal, &generation, &fault));
    assert_int_equal(generation, 30);
    journal_close(journal);
    state_folder_done(&folder);
}

static void an_undo_marks_what_it_takes_back_and_a_redo_unmarks_it(void **state)
{
    (void)state;
    struct state_folder folder;
    state_folder_init(&folder);
    struct journal *journal = open_in(&folder);
    struct live_item there = item_of("users", LIVE_PERCENT, 0, 10000);
    struct live_item back = item_of("users", LIVE_PERCENT, 10000, 0);
    add(journal, CHANGE_PERCENT, &there, 0);
    add(journal, CHANGE_UNDO, &back, 1);
    assert_history(journal, (struct journal_query){.limit = 0},
                   "2 undo users.percent:1>0 ada 1/0;1 percent users.percent:0>1 ada 0/2;");
    add(journal, CHANGE_UNDO, &there, 2);
    assert_history(journal, (struct journal_query){.limit = 0},
                   "3 undo users.percent:0>1 ada 2/0;2 undo users.percent:1>0 ada 1/3;"
                   "1 percent users.percent:0>1 ada 0/0;");
    journal_close(journal);
    state_folder_done(&folder);
}

static uint64_t later_than(struct journal *journal, uint64_t id, const struct live_item *item)
{
    struct fault fault;
    uint64_t later = 99;
    assert_true(journal_find_later(journal, id, item, &later, &fault));
    return later;
}

static void later_is_what_still_holds_of_the_same_key(void **state)
{
    (void)state;
    struct state_folder folder;
    state_folder_init(&folder);
    struct journal *journal = open_in(&folder);
    struct live_item first = item_of("users", LIVE_PERCENT, 0, 10000);
    struct live_item stage = item_of("users", LIVE_STAGE, STAGE_RAMP, STAGE_LIVE);
    struct live_item other = item_of("posts", LIVE_PERCENT, 0, 10000);
    struct live_item second = item_of("users", LIVE_PERCENT, 10000, 20000);
    struct live_item back = item_of("users", LIVE_PERCENT, 20000, 10000);
    add(journal, CHANGE_PERCENT, &first, 0); /* 1 */
    add(journal, CHANGE_STAGE, &stage, 0);
    add(journal, CHANGE_PERCENT, &other, 0);
    assert_int_equal(later_than(journal, 1, &first), 0);
    add(journal, CHANGE_PERCENT, &second, 0); /* 4 */
    assert_int_equal(later_than(journal, 1, &first), 4);
    add(journal, CHANGE_UNDO, &back, 4); /* 5 */
    assert_int_equal(later_than(journal, 1, &first), 0);
    add(journal, CHANGE_UNDO, &second, 5); /* 4 holds again */
    assert_int_equal(later_than(journal, 1, &first), 4);
    journal_close(journal);
    state_folder_done(&folder);
}

/* --- changes of write owner ---------------------------------------------------------------- */

static struct journal_flip flip_to(enum write_owner to, uint64_t epoch)
{
    enum write_owner from = to == WRITE_OWNER_LEGACY ? WRITE_OWNER_EXTRACTED : WRITE_OWNER_LEGACY;
    return (struct journal_flip){.module = "users",
                                 .from = from,
                                 .to = to,
                                 .epoch = epoch,
                                 .outcome = JOURNAL_BEGUN,
                                 .why = ""};
}

static void assert_owner(struct journal *journal, enum write_owner owner, uint64_t epoch,
                         bool unsettled)
{
    struct live_state *live = load(journal);
    const struct live_module *module = live_state_find(live, STRVIEW("users"));
    assert_true(module->owner_known);
    assert_int_equal(module->owner, owner);
    assert_int_equal(module->epoch, epoch);
    assert_int_equal(module->unsettled, unsettled);
    live_state_free(live);
}

static void the_last_flip_tells_who_owns(void **state)
{
    (void)state;
    struct state_folder folder;
    state_folder_init(&folder);
    struct fault fault;
    struct journal *journal = open_in(&folder);
    struct journal_flip there = flip_to(WRITE_OWNER_EXTRACTED, 2);
    assert_true(journal_begin_flip(journal, &there, &fault));
    assert_owner(journal, WRITE_OWNER_LEGACY, 3, true);
    there.outcome = JOURNAL_SUCCEEDED;
    assert_true(journal_end_flip(journal, &there, &fault));
    assert_owner(journal, WRITE_OWNER_EXTRACTED, 2, false);
    struct journal_flip back = flip_to(WRITE_OWNER_LEGACY, 3);
    assert_true(journal_begin_flip(journal, &back, &fault));
    assert_owner(journal, WRITE_OWNER_EXTRACTED, 4, true);
    back.outcome = JOURNAL_FAILED;
    assert_true(journal_end_flip(journal, &back, &fault));
    assert_owner(journal, WRITE_OWNER_EXTRACTED, 4, false);
    journal_close(journal);
    state_folder_done(&folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_module_is_read_as_it_was_written),
        cmocka_unit_test(a_module_replaces_what_was_there),
        cmocka_unit_test(what_was_not_committed_is_not_there),
        cmocka_unit_test(the_history_is_told_from_the_newest),
        cmocka_unit_test(an_undo_marks_what_it_takes_back_and_a_redo_unmarks_it),
        cmocka_unit_test(later_is_what_still_holds_of_the_same_key),
        cmocka_unit_test(the_last_flip_tells_who_owns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
