#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <sys/socket.h>

#include "proxy/control/admin_server.h"
#include "proxy/net/socket.h"
#include "tests/unit/control/state_folder.h"

/* A server on a Unix socket, whose requests nobody answers. */
struct fixture {
    struct state_folder folder;
    struct loop loop;
    struct address address;
    struct admin_server *server;
    int heads;
    int asked;
    int forgotten;
};

static void on_head(void *context, struct admin_request *request)
{
    struct fixture *f = context;
    (void)request;
    f->heads++;
    loop_break(&f->loop);
}

static void on_request(void *context, struct admin_request *request)
{
    struct fixture *f = context;
    (void)request;
    f->asked++;
    loop_break(&f->loop);
}

static void on_forgotten(void *context, struct admin_request *request)
{
    struct fixture *f = context;
    (void)request;
    f->forgotten++;
}

static int set_up(void **state)
{
    static const struct admin_events events = {on_head, on_request, on_forgotten};
    static struct fixture fixture;
    struct fixture *f = &fixture;
    *f = (struct fixture){.asked = 0};
    state_folder_init(&f->folder);
    loop_init(&f->loop);
    char path[STATE_PATH_BYTES];
    char text[STATE_PATH_BYTES + 8];
    state_folder_file(&f->folder, "admin.sock", path);
    snprintf(text, sizeof(text), "unix:%s", path);
    assert_true(address_parse(strview_of(text), &f->address));
    struct fault fault;
    f->server = admin_server_new(&f->loop, &f->address, &events, f, &fault);
    assert_non_null(f->server);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    loop_done(&f->loop);
    state_folder_done(&f->folder);
    return 0;
}

static void say(int fd, struct strview text)
{
    assert_int_equal(write(fd, text.data, text.length), text.length);
}

/* Until its head has been read. */
static int begin(struct fixture *f)
{
    int heads = f->heads;
    int fd = socket_connect(&f->address);
    assert_true(fd >= 0);
    say(fd, STRVIEW("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\n\r\n"));
    while (f->heads == heads)
        loop_run(&f->loop);
    return fd;
}

static void assert_refused(int fd)
{
    char answer[64] = "";
    assert_true(recv(fd, answer, sizeof(answer) - 1, 0) > 0);
    assert_non_null(strstr(answer, "HTTP/1.1 503 "));
    close(fd);
}

static void what_comes_while_the_server_ends_does_not_wait(void **state)
{
    struct fixture *f = *state;
    int waiting = begin(f);
    int late = begin(f);
    say(waiting, STRVIEW("x"));
    while (f->asked == 0)
        loop_run(&f->loop);
    say(late, STRVIEW("x"));
    admin_server_free(f->server);
    assert_int_equal(f->asked, 1);
    assert_int_equal(f->forgotten, 1);
    assert_refused(waiting);
    assert_refused(late);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_comes_while_the_server_ends_does_not_wait, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
