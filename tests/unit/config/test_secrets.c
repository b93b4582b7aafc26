/* Files that hold keys and tokens: who may read them, what they may hold, and that one is made. */
#include "tests/unit/config/config_fixture.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proxy/config/pin_key_file.h"
#include "proxy/config/secret_file.h"

#define KEY_A "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define KEY_B "FFeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100"

struct place {
    char folder[64];
    char path[128]; /* of pin.keys in it */
};

static int set_up(void **state)
{
    static struct place place;
    snprintf(place.folder, sizeof(place.folder), "/tmp/strangler-secrets-XXXXXX");
    if (mkdtemp(place.folder) == NULL)
        return 1;
    snprintf(place.path, sizeof(place.path), "%s/pin.keys", place.folder);
    *state = &place;
    return 0;
}

static int tear_down(void **state)
{
    struct place *place = *state;
    unlink(place->path);
    return rmdir(place->folder);
}

static void write_file(const char *path, const char *text, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
}

static void a_file_that_others_may_read_is_refused(void **state)
{
    struct place *place = *state;
    static const struct {
        mode_t mode;
        bool good;
    } rows[] = {{0600, true}, {0400, true}, {0640, false}, {0604, false}, {0610, false}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[128];
        struct fault fault;
        write_file(place->path, KEY_A, rows[i].mode);
        assert_int_equal(secret_file_read(place->path, text, sizeof(text), &fault), rows[i].good);
        if (!rows[i].good) {
            assert_non_null(strstr(fault.text, "chmod 600"));
            assert_null(strstr(fault.text, KEY_A));
        }
        chmod(place->path, 0600);
    }
}

static void what_is_no_small_text_file_is_refused(void **state)
{
    struct place *place = *state;
    char text[9];
    struct fault fault;
    write_file(place->path, "12345678", 0600);
    assert_true(secret_file_read(place->path, text, sizeof(text), &fault));
    assert_string_equal(text, "12345678");
    write_file(place->path, "123456789", 0600);
    assert_false(secret_file_read(place->path, text, sizeof(text), &fault));
    assert_non_null(strstr(fault.text, "too long"));
    assert_int_equal(text[0], 0);
    assert_false(secret_file_read(place->folder, text, sizeof(text), &fault));
    assert_non_null(strstr(fault.text, "no regular file"));
    unlink(place->path);
    assert_int_equal(mkfifo(place->path, 0600), 0); /* opened without waiting for a writer */
    assert_false(secret_file_read(place->path, text, sizeof(text), &fault));
    unlink(place->path);
    assert_false(secret_file_read(place->path, text, sizeof(text), &fault));
    assert_non_null(strstr(fault.text, "No such file"));
}

static void a_file_is_made_once_and_for_its_owner_alone(void **state)
{
    struct place *place = *state;
    struct fault fault;
    struct stat status;
    char text[64];
    assert_true(secret_file_make(place->path, "first\n", &fault));
    assert_true(secret_file_make(place->path, "second\n", &fault));
    assert_int_equal(stat(place->path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    assert_true(secret_file_read(place->path, text, sizeof(text), &fault));
    assert_string_equal(text, "first\n");
    assert_false(secret_file_make("/nowhere/at/all", "x", &fault));
    assert_non_null(strstr(fault.text, "/nowhere/at/all"));
}

static void keys_are_read_in_order_with_comments(void **state)
{
    (void)state;
    struct pin_keys keys;
    struct fault fault;
    struct strview text = STRVIEW("# the new one\n" KEY_B "\r\n\n  " KEY_A "  \n# end");
    assert_true(pin_keys_parse("f", text, &keys, &fault));
    assert_int_equal(keys.count, 2);
    assert_int_equal(keys.keys[0][0], 0xff);
    assert_int_equal(keys.keys[0][1], 0xee);
    assert_int_equal(keys.keys[1][1], 0x11);
}

static void bad_keys_are_named_by_their_line_and_not_shown(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *fault;
    } rows[] = {
        {"", "holds no key"},
        {"# nothing\n", "holds no key"},
        {KEY_A "\nsecret\n", "line 2"},
        {KEY_A "0\n", "line 1"},
        {"x0112233445566778899aabbccddeeff00112233445566778899aabbccddeeff", "line 1"},
        {KEY_A "\n" KEY_A "\n" KEY_A "\n" KEY_A "\n" KEY_A, "more than 4 keys"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct pin_keys keys = {.count = 77};
        struct fault fault = {.text = ""};
        assert_false(pin_keys_parse("f", strview_of(rows[i].text), &keys, &fault));
        assert_non_null(strstr(fault.text, rows[i].fault));
        assert_null(strstr(fault.text, "secret"));
        assert_null(strstr(fault.text, "8899aabb"));
        assert_int_equal(keys.count, 77);
    }
}

static void the_first_start_makes_one_key_and_later_ones_keep_it(void **state)
{
    struct place *place = *state;
    struct pin_keys first;
    struct pin_keys second;
    struct fault fault;
    assert_false(pin_key_file_read(place->folder, &first, &fault));
    assert_true(pin_key_file_read_or_make(place->folder, &first, &fault));
    assert_true(pin_key_file_read_or_make(place->folder, &second, &fault));
    assert_int_equal(first.count, 1);
    assert_memory_equal(first.keys[0], second.keys[0], PIN_KEY_BYTES);
    static const uint8_t zero[PIN_KEY_BYTES];
    assert_memory_not_equal(first.keys[0], zero, PIN_KEY_BYTES);
}

static void a_file_of_keys_that_is_bad_is_not_made_anew(void **state)
{
    struct place *place = *state;
    struct pin_keys keys;
    struct fault fault;
    write_file(place->path, "oops\n", 0600);
    assert_false(pin_key_file_read_or_make(place->folder, &keys, &fault));
    assert_non_null(strstr(fault.text, "line 1"));
}

/* --- in a configuration -------------------------------------------------------------------- */

static void a_token_is_one_line_of_printable_characters(void **state)
{
    struct place *place = *state;
    static const struct {
        const char *text;
        bool good;
    } rows[] = {
        {"0123456789abcdef\n", true},      {"0123456789abcdef\r\n", true},
        {"0123456789abcdef", true},        {"0123456789abcde\n", false},
        {"0123456789 abcdef\n", false},    {"\n0123456789abcdef", false},
        {"0123456789abcdef\nmore", false},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct loaded loaded;
        write_file(place->path, rows[i].text, 0600);
        loaded_from_text(&loaded, "%soverride_token_file = \"%s\";\n", config_head, place->path);
        assert_int_equal(loaded.snapshot != NULL, rows[i].good);
        if (rows[i].good)
            assert_true(
                strview_equal(loaded.snapshot->rules.override.token, STRVIEW("0123456789abcdef")));
        loaded_done(&loaded);
    }
}

static void without_its_token_a_configuration_can_be_planned_with_offline(void **state)
{
    struct place *place = *state;
    struct loaded loaded;
    write_file(place->path, "0123456789abcdef\n", 0644);
    loaded_from_text(&loaded, "%soverride_token_file = \"%s\";\n", config_head, place->path);
    assert_null(loaded.snapshot);
    config_report_done(&loaded.report);
    config_report_init(&loaded.report);
    loaded.snapshot = snapshot_build_offline(loaded.settings, loaded.registry, &loaded.report);
    assert_non_null(loaded.snapshot);
    assert_true(loaded.snapshot->override_token_unread);
    assert_int_equal(loaded.snapshot->rules.override.token.length, 0);
    loaded_done(&loaded);
}

static void only_modules_that_pin_need_keys(void **state)
{
    struct place *place = *state;
    struct loaded loaded;
    struct fault fault;
    loaded_from_text(&loaded,
                     "%smodules: { u: { legacy = \"monolith\"; extracted = \"users\"; "
                     "pin = \"0\"; routes: { a: { prefix = \"/u\"; }; }; }; };\n",
                     config_head);
    assert_false(snapshot_needs_pin_keys(loaded.snapshot));
    loaded_done(&loaded);
    loaded_from_text(&loaded,
                     "%smodules: { u: { legacy = \"monolith\"; extracted = \"users\"; "
                     "pin_group = \"g\"; routes: { a: { prefix = \"/u\"; }; }; }; };\n",
                     config_head);
    const struct module *u = &loaded.snapshot->modules->modules[0];
    assert_true(snapshot_needs_pin_keys(loaded.snapshot));
    assert_int_equal(u->pin_ms, 3000);
    assert_true(strview_equal(u->pin_cookie, STRVIEW("strangler_pin_u")));
    assert_true(strview_equal(u->pin_group_cookie, STRVIEW("strangler_pin_group.g")));
    assert_null(loaded.snapshot->rules.pin_keys);
    assert_false(snapshot_read_pin_keys(loaded.snapshot, place->folder, false, &fault));
    assert_true(snapshot_read_pin_keys(loaded.snapshot, place->folder, true, &fault));
    assert_int_equal(loaded.snapshot->rules.pin_keys->count, 1);
    loaded_done(&loaded);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_file_that_others_may_read_is_refused),
        TEST(what_is_no_small_text_file_is_refused),
        TEST(a_file_is_made_once_and_for_its_owner_alone),
        TEST(keys_are_read_in_order_with_comments),
        TEST(bad_keys_are_named_by_their_line_and_not_shown),
        TEST(the_first_start_makes_one_key_and_later_ones_keep_it),
        TEST(a_file_of_keys_that_is_bad_is_not_made_anew),
        TEST(a_token_is_one_line_of_printable_characters),
        TEST(without_its_token_a_configuration_can_be_planned_with_offline),
        TEST(only_modules_that_pin_need_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
