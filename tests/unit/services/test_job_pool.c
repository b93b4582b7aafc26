#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <ev.h>
#include <pthread.h>
#include <semaphore.h>

#include "extracted/service_kit/http_job.h"
#include "extracted/service_kit/service_state.h"

enum { ORDER_ROOM = 256 };

struct work {
    struct http_job job;
    struct stage *stage;
    int number;
};

/* What a test looks at. Jobs below 0 stay in `run` until the gate opens. */
struct stage {
    struct ev_loop *loop;
    struct job_pool *pool;
    struct service_state state;
    struct http_request request;
    sem_t begun;
    sem_t gate;
    pthread_t loop_thread;
    pthread_mutex_t lock;
    int order[ORDER_ROOM]; /* numbers of the jobs that ran, under the lock */
    unsigned ran;
    unsigned freed;
    unsigned freed_elsewhere; /* not on the loop's thread */
};

static void work_run(struct http_job *job)
{
    const struct work *work = (const struct work *)job;
    struct stage *stage = work->stage;
    if (work->number < 0) {
        sem_post(&stage->begun);
        sem_wait(&stage->gate);
    }
    pthread_mutex_lock(&stage->lock);
    stage->order[stage->ran++] = work->number;
    pthread_mutex_unlock(&stage->lock);
}

static void work_free(struct http_job *job)
{
    struct work *work = (struct work *)job;
    struct stage *stage = work->stage;
    stage->freed++;
    stage->freed_elsewhere += pthread_equal(pthread_self(), stage->loop_thread) == 0 ? 1 : 0;
    free(work);
}

static bool start(struct stage *stage, struct http_reply *reply, int number)
{
    struct work *work = calloc(1, sizeof(*work));
    assert_non_null(work);
    work->job.run = work_run;
    work->job.free = work_free;
    work->stage = stage;
    work->number = number;
    http_reply_init(reply);
    return http_job_start(&stage->request, reply, &work->job);
}

/* Both threads are busy until the gate opens twice. */
static void occupy_threads(struct stage *stage, struct http_reply replies[JOB_THREADS])
{
    for (int i = 0; i < JOB_THREADS; i++)
        assert_true(start(stage, &replies[i], -1 - i));
    for (int i = 0; i < JOB_THREADS; i++)
        sem_wait(&stage->begun);
}

static void open_gate(struct stage *stage)
{
    for (int i = 0; i < JOB_THREADS; i++)
        sem_post(&stage->gate);
}

static void end_when_woken(struct stage *stage, struct http_reply *replies, int count)
{
    for (int i = 0; i < count; i++) {
        while (!replies[i].is_woken)
            ev_run(stage->loop, EVRUN_ONCE);
        http_reply_done(&replies[i]);
    }
}

static int set_up(void **state)
{
    struct stage *stage = calloc(1, sizeof(*stage));
    assert_non_null(stage);
    stage->loop = ev_loop_new(EVFLAG_AUTO | EVFLAG_NOENV);
    stage->pool = job_pool_new(stage->loop);
    assert_non_null(stage->pool);
    stage->state.jobs = stage->pool;
    stage->request.state = &stage->state;
    stage->loop_thread = pthread_self();
    sem_init(&stage->begun, 0, 0);
    sem_init(&stage->gate, 0, 0);
    pthread_mutex_init(&stage->lock, NULL);
    *state = stage;
    return 0;
}

static int tear_down(void **state)
{
    struct stage *stage = *state;
    job_pool_free(stage->pool);
    ev_loop_destroy(stage->loop);
    assert_int_equal(stage->freed_elsewhere, 0);
    pthread_mutex_destroy(&stage->lock);
    sem_destroy(&stage->gate);
    sem_destroy(&stage->begun);
    free(stage);
    return 0;
}

static void a_job_wakes_its_reply_once_it_ran(void **state)
{
    struct stage *stage = *state;
    struct http_reply reply;
    assert_true(start(stage, &reply, 7));
    assert_int_equal(reply.wait, HTTP_WAIT_TASK);
    while (!reply.is_woken)
        ev_run(stage->loop, EVRUN_ONCE);
    assert_int_equal(stage->order[0], 7);
    assert_true(http_job_find(&reply)->task.is_done);
    assert_int_equal(stage->freed, 0);
    http_reply_done(&reply);
    assert_int_equal(stage->freed, 1);
}

static void a_reply_that_goes_away_takes_what_waits_with_it(void **state)
{
    struct stage *stage = *state;
    struct http_reply busy[JOB_THREADS];
    struct http_reply gone;
    struct http_reply stays;
    occupy_threads(stage, busy);
    assert_true(start(stage, &gone, 1));
    assert_true(start(stage, &stays, 2));
    http_reply_done(&gone);
    assert_int_equal(stage->freed, 1);
    open_gate(stage);
    end_when_woken(stage, &stays, 1);
    end_when_woken(stage, busy, JOB_THREADS);
    assert_int_equal(stage->ran, JOB_THREADS + 1);
    for (unsigned i = 0; i < stage->ran; i++)
        assert_int_not_equal(stage->order[i], 1);
}

static void a_reply_that_goes_away_leaves_what_runs_to_end(void **state)
{
    struct stage *stage = *state;
    struct http_reply busy[JOB_THREADS];
    occupy_threads(stage, busy);
    for (int i = 0; i < JOB_THREADS; i++)
        http_reply_done(&busy[i]);
    assert_int_equal(stage->freed, 0);
    open_gate(stage);
    while (stage->freed < JOB_THREADS)
        ev_run(stage->loop, EVRUN_ONCE);
    assert_int_equal(stage->ran, JOB_THREADS);
}

static void a_full_queue_is_503_and_takes_more_later(void **state)
{
    struct stage *stage = *state;
    struct http_reply busy[JOB_THREADS];
    struct http_reply queued[JOB_QUEUE];
    struct http_reply late;
    occupy_threads(stage, busy);
    for (int i = 0; i < JOB_QUEUE; i++)
        assert_true(start(stage, &queued[i], i));
    assert_false(start(stage, &late, 1000));
    assert_int_equal(late.status, 503);
    assert_int_equal(late.wait, HTTP_WAIT_NONE);
    assert_null(http_job_find(&late));
    http_reply_done(&late);
    http_reply_done(&queued[JOB_QUEUE - 1]);
    assert_true(start(stage, &queued[JOB_QUEUE - 1], JOB_QUEUE - 1));
    open_gate(stage);
    end_when_woken(stage, queued, JOB_QUEUE);
    end_when_woken(stage, busy, JOB_THREADS);
    assert_int_equal(stage->ran, JOB_THREADS + JOB_QUEUE);
    assert_int_equal(stage->freed, 2 + JOB_THREADS + JOB_QUEUE);
}

static void a_reply_that_cannot_wait_is_503(void **state)
{
    struct stage *stage = *state;
    struct http_reply reply;
    stage->request.is_last_call = true;
    assert_false(start(stage, &reply, 1));
    assert_int_equal(reply.status, 503);
    assert_int_equal(stage->freed, 1);
    http_reply_done(&reply);
}

static void the_end_of_the_pool_ends_all_jobs(void **state)
{
    struct stage *stage = *state;
    struct http_reply busy[JOB_THREADS];
    occupy_threads(stage, busy);
    for (int i = 0; i < JOB_THREADS; i++)
        http_reply_done(&busy[i]);
    open_gate(stage);
    job_pool_free(stage->pool);
    stage->pool = NULL;
    assert_int_equal(stage->freed, JOB_THREADS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_job_wakes_its_reply_once_it_ran, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_reply_that_goes_away_takes_what_waits_with_it, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_reply_that_goes_away_leaves_what_runs_to_end, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_full_queue_is_503_and_takes_more_later, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_reply_that_cannot_wait_is_503, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_end_of_the_pool_ends_all_jobs, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
