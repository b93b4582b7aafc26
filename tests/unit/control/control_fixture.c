#include "tests/unit/control/control_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proxy/core/array.h"

enum { TEXT_BYTES = 4096, LIMIT_MS = 20000 };

static const char plain[] = "stage = \"ramp\"; percent = 25;";
static const char config[] =
    "listeners: { plain: { address = \"127.%d.%d.1:28080\"; }; };\n"
    "backends: { monolith: { endpoints = [ \"127.0.0.1:3000\" ]; };\n"
    "            service: { endpoints = [ \"127.0.0.1:3001\" ]; }; };\n"
    "default = \"monolith\"; identity = [ \"address\" ]; state_dir = \"%s\";\n"
    "access_log: { path = \"off\"; };\n"
    "modules: {\n"
    "  users: { legacy = \"monolith\"; extracted = \"service\"; shadow: { percent = 0; };\n"
    "           on_flip = \"%s/flip.sh\"; routes: { a: { prefix = \"/u\"; }; }; %s };\n"
    "  posts: { legacy = \"monolith\"; extracted = \"service\";\n"
    "           routes: { b: { prefix = \"/p\"; }; }; };\n"
    "};\n";

static sqlite3 *lock;

/* --- beginning and end --------------------------------------------------------------------- */

static void start(struct fixture *fixture)
{
    static const struct metric_names names = {.reason_count = 0};
    struct fault fault = {.text = ""};
    struct control *control = &fixture->control;
    *control = (struct control){.path = fixture->path, .next_generation = 1};
    loop_init(&control->loop);
    control_init_live(control);
    control->endpoints = endpoint_registry_new();
    control->metrics = metrics_registry_new(&names);
    control->shadows = shadow_registry_new();
    struct snapshot *snapshot = control_load(control, &fault);
    if (snapshot == NULL)
        fail_msg("%s", fault.text);
    control->state_dir = memory_strdup(snapshot->state_dir.data);
    if (!control_publish_first(control, snapshot, &fault))
        fail_msg("%s", fault.text);
}

/* No order is answered any more, and nothing is written. */
static void stop(struct fixture *fixture)
{
    struct control *control = &fixture->control;
    flip_stop(&control->flip);
    live_clock_stop(control);
    while (!list_is_empty(&control->jobs))
        change_job_free(LIST_ENTRY(control->jobs.next, struct change_job, node));
    publisher_done(&control->publisher);
    live_state_free(control->live);
    journal_close(control->journal);
    free(control->state_dir);
    metrics_registry_free(control->metrics);
    shadow_registry_free(control->shadows);
    endpoint_registry_free(control->endpoints);
    loop_done(&control->loop);
}

void fixture_write(struct fixture *fixture, const char *users)
{
    char text[TEXT_BYTES];
    const char *folder = fixture->folder.path;
    int pid = (int)getpid(); /* an address that no other test has */
    int length =
        snprintf(text, sizeof(text), config, pid >> 8 & 0xff, pid & 0xff, folder, folder, users);
    assert_in_range(length, 1, TEXT_BYTES - 1);
    state_folder_write(&fixture->folder, "routes.cfg", text);
}

void fixture_write_program(struct fixture *fixture, const char *lines)
{
    char text[TEXT_BYTES];
    char path[STATE_PATH_BYTES];
    int length = snprintf(text, sizeof(text), "#!/bin/sh\necho $* >> %s/told\n%s\n",
                          fixture->folder.path, lines);
    assert_in_range(length, 1, TEXT_BYTES - 1);
    state_folder_write(&fixture->folder, "flip.sh", text);
    state_folder_file(&fixture->folder, "flip.sh", path);
    assert_int_equal(chmod(path, 0755), 0);
}

void fixture_init(struct fixture *fixture)
{
    *fixture = (struct fixture){.answers = 0};
    state_folder_init(&fixture->folder);
    state_folder_file(&fixture->folder, "routes.cfg", fixture->path);
    fixture_write(fixture, plain);
    fixture_write_program(fixture, "exit 0");
    start(fixture);
}

void fixture_restart(struct fixture *fixture, const char *users)
{
    stop(fixture);
    if (users != NULL)
        fixture_write(fixture, users);
    start(fixture);
}

void fixture_done(struct fixture *fixture)
{
    stop(fixture);
    state_folder_done(&fixture->folder);
}

/* --- orders -------------------------------------------------------------------------------- */

static void on_done(void *owner, const struct change_result *result)
{
    struct fixture *fixture = owner;
    fixture->result = *result;
    fixture->answers++;
}

static bool is_settled(const struct control *control)
{
    return list_is_empty(&control->jobs) && !flip_is_on(&control->flip) && !control->reloading;
}

/* What is settled at the end of a turn wakes nobody, so the loop must not block. */
void fixture_turn(struct fixture *fixture)
{
    ev_run(fixture->control.loop.ev, EVRUN_NOWAIT);
    usleep(1000);
}

void fixture_settle(struct fixture *fixture)
{
    struct control *control = &fixture->control;
    uint64_t began_ms = control->loop.now_ms;
    while (!is_settled(control)) {
        if (control->loop.now_ms - began_ms > LIMIT_MS)
            fail_msg("not answered in time");
        fixture_turn(fixture);
    }
}

void fixture_order(struct fixture *fixture, struct change change)
{
    control_change(&fixture->control, &change, on_done, fixture);
}

int fixture_change(struct fixture *fixture, struct change change)
{
    uint32_t before = fixture->answers;
    fixture_order(fixture, change);
    fixture_settle(fixture);
    assert_int_equal(fixture->answers, before + 1);
    return fixture->result.status;
}

void fixture_assert_detail(const struct fixture *fixture, const char *text)
{
    if (strstr(fixture->result.detail, text) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", fixture->result.detail, text);
}

void fixture_wait(struct fixture *fixture, uint64_t ms)
{
    fixture->control.loop.wall_ms += ms;
    live_clock_run(&fixture->control);
    fixture_settle(fixture);
}

/* --- the program --------------------------------------------------------------------------- */

/* What the program was told, a line a run. */
void fixture_assert_told(const struct fixture *fixture, const char *expected)
{
    char path[STATE_PATH_BYTES];
    char text[512] = "";
    state_folder_file(&fixture->folder, "told", path);
    FILE *file = fopen(path, "r");
    if (file != NULL) {
        text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
        fclose(file);
    }
    assert_string_equal(text, expected);
}

/* Turns the loop until the program has been told that often. */
void fixture_wait_told(struct fixture *fixture, const char *last)
{
    char path[STATE_PATH_BYTES];
    char text[512] = "";
    state_folder_file(&fixture->folder, "told", path);
    while (strstr(text, last) == NULL) {
        fixture_turn(fixture);
        FILE *file = fopen(path, "r");
        if (file == NULL)
            continue;
        text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
        fclose(file);
    }
}

/* The program runs until there is a file `go`. */
void fixture_hold_program(struct fixture *fixture)
{
    char lines[STATE_PATH_BYTES + 64];
    snprintf(lines, sizeof(lines), "while [ ! -e %s/go ]; do sleep 0.02; done",
             fixture->folder.path);
    fixture_write_program(fixture, lines);
}

void fixture_let_go(struct fixture *fixture)
{
    state_folder_write(&fixture->folder, "go", "");
}

/* --- what is in force ---------------------------------------------------------------------- */

struct module fixture_module(const struct fixture *fixture, const char *name)
{
    const struct module *module =
        module_table_find(fixture->control.publisher.current->modules, strview_of(name));
    assert_non_null(module);
    return *module;
}

struct live_module *fixture_live(const struct fixture *fixture, const char *name)
{
    struct live_module *module = live_state_find(fixture->control.live, strview_of(name));
    assert_non_null(module);
    return module;
}

/* --- a journal that cannot be written ------------------------------------------------------ */

void fixture_lock_journal(struct fixture *fixture)
{
    char path[STATE_PATH_BYTES];
    state_folder_file(&fixture->folder, "strangler.db", path);
    assert_int_equal(sqlite3_open(path, &lock), SQLITE_OK);
    assert_int_equal(sqlite3_exec(lock, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
}

void fixture_unlock_journal(struct fixture *fixture)
{
    (void)fixture;
    assert_int_equal(sqlite3_exec(lock, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(lock);
    lock = NULL;
}
