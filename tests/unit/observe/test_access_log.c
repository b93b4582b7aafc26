/* The rings and their writer. A named pipe stands for the file: while the test does not read it,
 * the writer cannot go on, so that rings fill when the test wants them to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "proxy/observe/access_log.h"

enum { WORKERS = 3, LINES_OF_A_WORKER = 20000, WRITERS_MAX = 8 };

struct fixture {
    char folder[64];
    char path[96];
    char old_path[96];
};

static int set_up(void **state)
{
    static struct fixture fixture;
    snprintf(fixture.folder, sizeof(fixture.folder), "/tmp/strangler-access-log-XXXXXX");
    if (mkdtemp(fixture.folder) == NULL)
        return -1;
    snprintf(fixture.path, sizeof(fixture.path), "%s/log", fixture.folder);
    snprintf(fixture.old_path, sizeof(fixture.old_path), "%s/log.1", fixture.folder);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    unlink(f->path);
    unlink(f->old_path);
    return rmdir(f->folder);
}

/* Line `number` of a worker: both stand in it, and its length varies. */
static void write_line(struct access_log_ring *ring, uint32_t worker, uint32_t number)
{
    static const char filler[] = "/0123456789012345678901234567890123456789";
    struct access_log_entry entry = {
        .path = strview_make(filler, 1 + number % (sizeof(filler) - 1)),
        .attempts = worker,
        .generation = number,
    };
    access_log_write(ring, ACCESS_LOG_JSON, &entry);
}

struct tally {
    uint32_t lines;
    uint32_t next[WRITERS_MAX]; /* the lowest number that may come from a worker */
};

/* Checks a whole line: who wrote it, and that its number is above those before. */
static void take_line(struct tally *tally, const char *line)
{
    const char *attempts = strstr(line, ",\"attempts\":");
    assert_int_equal(line[0], '{');
    assert_non_null(attempts);
    unsigned worker = 0;
    unsigned number = 0;
    int end = 0;
    assert_int_equal(sscanf(attempts, ",\"attempts\":%u,\"shadow\":false,\"generation\":%u}\n%n",
                            &worker, &number, &end),
                     2);
    assert_int_equal(attempts[end], '\0');
    assert_true(worker < WRITERS_MAX && number >= tally->next[worker]);
    tally->next[worker] = number + 1;
    tally->lines++;
}

static void read_lines(FILE *file, struct tally *tally, uint32_t lines_max)
{
    char line[8192];
    for (uint32_t i = 0; i < lines_max && fgets(line, sizeof(line), file) != NULL; i++)
        take_line(tally, line);
}

static FILE *open_pipe(const struct fixture *f)
{
    assert_int_equal(mkfifo(f->path, 0600), 0);
    int fd = open(f->path, O_RDONLY | O_NONBLOCK); /* there is no writer yet to wait for */
    assert_true(fd >= 0);
    assert_int_equal(fcntl(fd, F_SETFL, 0), 0);
    FILE *file = fdopen(fd, "r");
    assert_non_null(file);
    return file;
}

static struct access_log *open_log(const struct fixture *f)
{
    struct fault fault;
    struct access_log *log = access_log_new(f->path, &fault);
    assert_non_null(log);
    return log;
}

static void *free_log(void *log)
{
    access_log_free(log);
    return NULL;
}

/* Ends the log while the rest of it is read from the pipe. */
static void drain_and_free(struct access_log *log, FILE *file, struct tally *tally)
{
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, free_log, log), 0);
    read_lines(file, tally, UINT32_MAX);
    pthread_join(thread, NULL);
    fclose(file);
}

static void a_full_ring_drops_lines_and_counts_them(void **state)
{
    struct fixture *f = *state;
    FILE *file = open_pipe(f);
    struct access_log *log = open_log(f);
    struct access_log_ring *ring = access_log_add_ring(log);
    uint32_t number = 0;
    while (access_log_dropped(log) < 100)
        write_line(ring, 0, number++);
    assert_true(number > 1000);
    uint64_t dropped = access_log_dropped(log);
    struct tally tally = {0};
    drain_and_free(log, file, &tally);
    assert_int_equal(tally.lines + dropped, number);
}

/* Writes lines from *number on until one is dropped; how many were written, that one too. */
static uint32_t fill(struct access_log *log, struct access_log_ring *ring, uint32_t *number)
{
    uint32_t first = *number;
    uint64_t dropped = access_log_dropped(log);
    while (access_log_dropped(log) == dropped)
        write_line(ring, 0, (*number)++);
    return *number - first;
}

static void a_ring_that_was_full_takes_as_many_lines_again(void **state)
{
    struct fixture *f = *state;
    FILE *file = open_pipe(f);
    struct access_log *log = open_log(f);
    struct access_log_ring *ring = access_log_add_ring(log);
    uint32_t number = 0;
    uint32_t first = fill(log, ring, &number);
    struct tally tally = {0};
    read_lines(file, &tally, first - 1); /* all that it held */
    uint64_t dropped;
    do { /* the writer may not have said yet that it is empty */
        dropped = access_log_dropped(log);
        write_line(ring, 0, number++);
    } while (access_log_dropped(log) > dropped);
    assert_true(fill(log, ring, &number) > first - first / 10);
    drain_and_free(log, file, &tally);
    assert_true(tally.next[0] >= number - 1);
}

static void lines_stay_whole_when_much_is_written_bit_by_bit(void **state)
{
    struct fixture *f = *state;
    FILE *file = open_pipe(f);
    struct access_log *log = open_log(f);
    struct access_log_ring *ring = access_log_add_ring(log);
    struct tally tally = {0};
    uint32_t number = 0;
    for (int round = 0; round < 40; round++) { /* about 12 MiB, more than it holds at once */
        for (int i = 0; i < 800; i++)
            write_line(ring, 0, number++);
        read_lines(file, &tally, 800);
        assert_int_equal(tally.lines, number);
    }
    assert_int_equal(access_log_dropped(log), 0);
    drain_and_free(log, file, &tally);
    assert_int_equal(tally.lines, number);
}

static void ending_the_log_writes_what_is_left(void **state)
{
    struct fixture *f = *state;
    struct access_log *log = open_log(f);
    struct access_log_ring *first = access_log_add_ring(log);
    struct access_log_ring *second = access_log_add_ring(log);
    for (uint32_t i = 0; i < 10; i++) {
        write_line(first, 0, i);
        write_line(second, 1, i);
    }
    access_log_free(log);
    FILE *file = fopen(f->path, "r");
    assert_non_null(file);
    struct tally tally = {0};
    read_lines(file, &tally, UINT32_MAX);
    fclose(file);
    assert_int_equal(tally.lines, 20);
    assert_int_equal(tally.next[0], 10);
    assert_int_equal(tally.next[1], 10);
}

static uint32_t lines_in(const char *path)
{
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    struct tally tally = {0};
    read_lines(file, &tally, UINT32_MAX);
    fclose(file);
    return tally.lines;
}

static void after_reopening_lines_go_to_the_new_file(void **state)
{
    struct fixture *f = *state;
    struct fault fault;
    struct access_log *log = open_log(f);
    struct access_log_ring *ring = access_log_add_ring(log);
    for (uint32_t i = 0; i < 3; i++)
        write_line(ring, 0, i);
    assert_int_equal(rename(f->path, f->old_path), 0);
    assert_true(access_log_reopen(log, f->path, &fault));
    write_line(ring, 0, 3);
    access_log_free(log);
    assert_int_equal(lines_in(f->old_path), 3);
    assert_int_equal(lines_in(f->path), 1);
}

static void a_file_that_cannot_be_opened_changes_nothing(void **state)
{
    struct fixture *f = *state;
    struct fault fault = {""};
    char path[200];
    snprintf(path, sizeof(path), "%s/no/such/folder", f->folder);
    assert_null(access_log_new(path, &fault));
    assert_non_null(strstr(fault.text, path));
    struct access_log *log = open_log(f);
    struct access_log_ring *ring = access_log_add_ring(log);
    assert_false(access_log_reopen(log, path, &fault));
    write_line(ring, 0, 0);
    access_log_free(log);
    assert_int_equal(lines_in(f->path), 1);
}

struct worker {
    pthread_t thread;
    struct access_log_ring *ring;
    uint32_t index;
};

static void *run_worker(void *argument)
{
    struct worker *worker = argument;
    for (uint32_t i = 0; i < LINES_OF_A_WORKER; i++)
        write_line(worker->ring, worker->index, i);
    return NULL;
}

static void each_workers_lines_come_whole_and_in_order(void **state)
{
    struct fixture *f = *state;
    struct access_log *log = open_log(f);
    struct worker workers[WORKERS];
    for (uint32_t i = 0; i < WORKERS; i++)
        workers[i] = (struct worker){.ring = access_log_add_ring(log), .index = i};
    for (uint32_t i = 0; i < WORKERS; i++)
        assert_int_equal(pthread_create(&workers[i].thread, NULL, run_worker, &workers[i]), 0);
    for (uint32_t i = 0; i < WORKERS; i++)
        pthread_join(workers[i].thread, NULL);
    uint64_t dropped = access_log_dropped(log);
    access_log_free(log);
    assert_int_equal(lines_in(f->path) + dropped, WORKERS * LINES_OF_A_WORKER);
}

/* As during a hand-over, in which the one process still finishes what it has. */
static void two_logs_of_one_file_leave_each_others_lines_whole(void **state)
{
    const struct fixture *f = *state;
    struct fault fault;
    struct access_log *logs[2];
    struct worker workers[2];
    for (uint32_t i = 0; i < 2; i++) {
        logs[i] = access_log_new(f->path, &fault);
        assert_non_null(logs[i]);
        workers[i] = (struct worker){.ring = access_log_add_ring(logs[i]), .index = i};
        assert_int_equal(pthread_create(&workers[i].thread, NULL, run_worker, &workers[i]), 0);
    }
    uint32_t dropped = 0;
    for (uint32_t i = 0; i < 2; i++) {
        pthread_join(workers[i].thread, NULL);
        dropped += (uint32_t)access_log_dropped(logs[i]);
        access_log_free(logs[i]);
    }
    assert_int_equal(lines_in(f->path) + dropped, 2 * LINES_OF_A_WORKER);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_full_ring_drops_lines_and_counts_them),
        TEST(a_ring_that_was_full_takes_as_many_lines_again),
        TEST(lines_stay_whole_when_much_is_written_bit_by_bit),
        TEST(ending_the_log_writes_what_is_left),
        TEST(after_reopening_lines_go_to_the_new_file),
        TEST(a_file_that_cannot_be_opened_changes_nothing),
        TEST(each_workers_lines_come_whole_and_in_order),
        TEST(two_logs_of_one_file_leave_each_others_lines_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
