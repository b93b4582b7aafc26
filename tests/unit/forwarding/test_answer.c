/* What passes of a backend's answer, and of trailers in both directions. */
#include "tests/unit/forwarding/forwarding_fixture.h"

/* The fixture's request fields serve as the answer's. */
static const char *answer_text(struct forwarded *f, int status)
{
    struct response_head response = {.status = status, .headers = f->request.headers};
    struct headers passed;
    forwarding_response(&response, &f->arena, &passed);
    return forwarded_text(f, &passed);
}

static const char *trailers_text(struct forwarded *f)
{
    struct headers passed;
    forwarding_trailers(&f->request.headers, &f->arena, &passed);
    return forwarded_text(f, &passed);
}

static void an_answers_own_fields_pass(void **state)
{
    struct forwarded *f = *state;
    forwarded_add(f, "date", "Thu, 01 Jan 1970 00:00:00 GMT");
    forwarded_add(f, "set-cookie", "a=1");
    forwarded_add(f, "set-cookie", "b=2");
    forwarded_add(f, "content-length", "5");
    forwarded_add(f, "via", "1.1 inner");
    forwarded_add(f, "x-request-id", "7");
    forwarded_add(f, "trailer", "x-sum");
    assert_string_equal(answer_text(f, 200),
                        "date: Thu, 01 Jan 1970 00:00:00 GMT\nset-cookie: a=1\n"
                        "set-cookie: b=2\ncontent-length: 5\nvia: 1.1 inner\n"
                        "x-request-id: 7\ntrailer: x-sum\n");
}

static void hop_by_hop_fields_of_an_answer_stay_here(void **state)
{
    struct forwarded *f = *state;
    static const char *const names[] = {
        "connection", "keep-alive", "proxy-connection", "te", "transfer-encoding", "upgrade",
    };
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        forwarded_add(f, names[i], "x");
    assert_string_equal(answer_text(f, 200), "");
}

static void what_an_answers_connection_names_stays_here_but_never_its_length(void **state)
{
    struct forwarded *f = *state;
    forwarded_add(f, "connection", "close, X-Hop, content-length");
    forwarded_add(f, "x-hop", "1");
    forwarded_add(f, "content-length", "5");
    forwarded_add(f, "x-end", "2");
    assert_string_equal(answer_text(f, 200), "content-length: 5\nx-end: 2\n");
}

static void several_connection_fields_of_an_answer_are_one_list(void **state)
{
    struct forwarded *f = *state;
    forwarded_add(f, "connection", "keep-alive");
    forwarded_add(f, "x-hop", "1");
    forwarded_add(f, "connection", "x-hop");
    assert_string_equal(answer_text(f, 200), "");
}

static void only_answers_that_have_a_length_may_say_it(void **state)
{
    struct forwarded *f = *state;
    forwarded_add(f, "content-length", "5");
    assert_string_equal(answer_text(f, 103), "");
    assert_string_equal(answer_text(f, 204), "");
    assert_string_equal(answer_text(f, 304), "content-length: 5\n");
    assert_string_equal(answer_text(f, 200), "content-length: 5\n");
}

static void trailers_that_describe_the_content_pass(void **state)
{
    struct forwarded *f = *state;
    forwarded_add(f, "x-checksum", "abc");
    forwarded_add(f, "grpc-status", "0");
    forwarded_add(f, "server-timing", "db;dur=1");
    assert_string_equal(trailers_text(f),
                        "x-checksum: abc\ngrpc-status: 0\nserver-timing: db;dur=1\n");
}

static void trailers_that_frame_route_or_authenticate_are_dropped(void **state)
{
    struct forwarded *f = *state;
    static const char *const names[] = {
        "transfer-encoding",
        "content-length",
        "host",
        "connection",
        "keep-alive",
        "te",
        "upgrade",
        "proxy",
        "authorization",
        "www-authenticate",
        "set-cookie",
        "cookie",
        "content-type",
        "content-encoding",
        "content-range",
        "cache-control",
        "expect",
        "max-forwards",
        "pragma",
        "range",
        "trailer",
        "x-forwarded-for",
        "forwarded",
        "x-request-id",
        "traceparent",
        "x-real-ip",
        "x-strangler-id",
        "x-original-path",
        "via",
        "x_forwarded_for",
        "content_length",
        "x-real_ip",
        ":status",
        "",
    };
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        forwarded_add(f, names[i], "x");
    assert_string_equal(trailers_text(f), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FORWARDED_TEST(an_answers_own_fields_pass),
        FORWARDED_TEST(hop_by_hop_fields_of_an_answer_stay_here),
        FORWARDED_TEST(what_an_answers_connection_names_stays_here_but_never_its_length),
        FORWARDED_TEST(several_connection_fields_of_an_answer_are_one_list),
        FORWARDED_TEST(only_answers_that_have_a_length_may_say_it),
        FORWARDED_TEST(trailers_that_describe_the_content_pass),
        FORWARDED_TEST(trailers_that_frame_route_or_authenticate_are_dropped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
