/* Request ids and traces: kept from those who may say them, begun for all others. */
#include "tests/unit/forwarding/forwarding_fixture.h"

static const char fresh_id[] = "01234567-89ab-7102-8304-05060708090a";
static const char good_trace[] = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

static void assert_view(struct strview view, const char *expected)
{
    assert_int_equal(view.length, strlen(expected));
    assert_memory_equal(view.data, expected, view.length);
}

static void every_request_gets_an_id_also_when_it_is_not_forwarded(void **state)
{
    struct forwarded *f = *state;
    assert_string_equal(forwarded_run(f), "");
    assert_view(f->result.request_id, fresh_id);
}

static void without_random_bytes_only_a_trusted_sender_names_the_request(void **state)
{
    struct forwarded *f = *state;
    f->facts.random = NULL;
    forwarded_add(f, "x-request-id", "theirs");
    forwarded_run(f);
    assert_view(f->result.request_id, "");
    f->facts.trusted = true;
    forwarded_run(f);
    assert_view(f->result.request_id, "theirs");
}

static void a_strangers_request_id_is_replaced(void **state)
{
    struct forwarded *f = *state;
    f->facts.fields = FORWARD_X_REQUEST_ID;
    forwarded_add(f, "x-request-id", "mine");
    forwarded_run(f);
    assert_int_equal(f->headers.count, 1);
    assert_view(f->headers.fields[0].value, fresh_id);
}

static void a_trusted_request_id_is_kept_when_it_is_sane(void **state)
{
    struct forwarded *f = *state;
    char id[130];
    memset(id, 'i', sizeof(id));
    id[128] = '\0';
    const char *const kept[] = {"a", "a-b_c.d:e/f+g=", "~!#$%&'()*,;<>?@[]^`{|}", id};
    f->facts.trusted = true;
    f->facts.fields = FORWARD_X_REQUEST_ID;
    for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
        headers_init(&f->request.headers);
        forwarded_add(f, "x-request-id", kept[i]);
        forwarded_run(f);
        assert_view(f->result.request_id, kept[i]);
        assert_view(f->headers.fields[0].value, kept[i]);
    }
}

static void a_trusted_request_id_that_could_do_harm_is_replaced(void **state)
{
    struct forwarded *f = *state;
    char id[130];
    memset(id, 'i', sizeof(id));
    id[129] = '\0';
    const char *const replaced[] = {"",      "a b",      " a",   "a\tb", "a\x01", "a\x7f",
                                    "a\x80", "\xc3\xa4", "a\\b", "a\"b", "a\n",   id};
    f->facts.trusted = true;
    for (size_t i = 0; i < sizeof(replaced) / sizeof(replaced[0]); i++) {
        headers_init(&f->request.headers);
        forwarded_add(f, "x-request-id", replaced[i]);
        forwarded_run(f);
        assert_view(f->result.request_id, fresh_id);
    }
}

static void a_valid_traceparent_is_kept_from_anybody(void **state)
{
    struct forwarded *f = *state;
    f->facts.fields = FORWARD_TRACEPARENT;
    forwarded_add(f, "traceparent", good_trace);
    forwarded_run(f);
    assert_int_equal(f->headers.count, 1);
    assert_view(f->headers.fields[0].value, good_trace);
    assert_view(f->result.traceparent, good_trace);
}

static void a_traceparent_that_is_not_forwarded_is_not_kept(void **state)
{
    struct forwarded *f = *state;
    forwarded_add(f, "traceparent", good_trace);
    assert_string_equal(forwarded_run(f), "");
    assert_int_equal(f->result.traceparent.length, 0);
}

/* A trace that we begin is valid itself, made of the random bytes, and not sampled. */
static void assert_begun(const struct forwarded *f)
{
    struct strview trace = f->result.traceparent;
    assert_int_equal(trace.length, TRACEPARENT_BYTES);
    assert_memory_equal(trace.data, "00-", 3);
    assert_memory_equal(trace.data + 35, "-", 1);
    assert_memory_equal(trace.data + 52, "-00", 3);
    for (size_t i = 3; i < 52; i++)
        assert_true(i == 35 || (strchr("0123456789abcdef", trace.data[i]) && trace.data[i]));
    assert_memory_not_equal(trace.data, good_trace, 35);
}

static void a_traceparent_that_breaks_its_grammar_is_replaced(void **state)
{
    struct forwarded *f = *state;
    static const char *const bad[] = {
        "",
        "00",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0",   /* too short */
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-011", /* too long */
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-",
        "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", /* never a version */
        "0x-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-00000000000000000000000000000000-b7ad6b7169203331-01", /* no trace */
        "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01", /* no span */
        "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01", /* upper case */
        "00-0af7651916cd43dd8448eb211c80319c-B7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0A",
        "00-0af7651916cd43dd8448eb211c80319g-b7ad6b7169203331-01",
        "00_0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c_b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331_01",
        "00-0af7651916cd43dd8448eb211c80319-cb7ad6b7169203331-01",
    };
    f->facts.fields = FORWARD_TRACEPARENT;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        headers_init(&f->request.headers);
        forwarded_add(f, "traceparent", bad[i]);
        forwarded_run(f);
        assert_begun(f);
    }
}

static void a_trace_begun_here_would_be_kept_by_the_next(void **state)
{
    struct forwarded *f = *state;
    f->facts.fields = FORWARD_TRACEPARENT;
    forwarded_run(f);
    assert_begun(f);
    char begun[TRACEPARENT_BYTES + 1] = "";
    memcpy(begun, f->result.traceparent.data, TRACEPARENT_BYTES);
    memset(f->random, 0xee, sizeof(f->random));
    forwarded_add(f, "traceparent", begun);
    forwarded_run(f);
    assert_view(f->result.traceparent, begun);
}

static void different_random_bytes_begin_different_traces(void **state)
{
    struct forwarded *f = *state;
    f->facts.fields = FORWARD_TRACEPARENT;
    for (int i = FORWARDING_RANDOM_BYTES - 24; i < FORWARDING_RANDOM_BYTES; i++) {
        forwarded_run(f);
        char before[TRACEPARENT_BYTES];
        memcpy(before, f->result.traceparent.data, sizeof(before));
        f->random[i] ^= 0x80;
        forwarded_run(f);
        assert_memory_not_equal(f->result.traceparent.data, before, sizeof(before));
    }
}

static void an_id_and_a_trace_have_no_random_byte_in_common(void **state)
{
    struct forwarded *f = *state;
    f->facts.fields = FORWARD_TRACEPARENT;
    for (int i = 0; i < FORWARDING_RANDOM_BYTES; i++) {
        memset(f->random, 1, sizeof(f->random));
        forwarded_run(f);
        char id[REQUEST_ID_BYTES];
        char trace[TRACEPARENT_BYTES];
        memcpy(id, f->result.request_id.data, sizeof(id));
        memcpy(trace, f->result.traceparent.data, sizeof(trace));
        f->random[i] = 2;
        forwarded_run(f);
        bool in_id = memcmp(id, f->result.request_id.data, sizeof(id)) != 0;
        bool in_trace = memcmp(trace, f->result.traceparent.data, sizeof(trace)) != 0;
        assert_true(in_id != in_trace);
    }
}

static void a_trace_that_begins_here_has_no_state_of_another(void **state)
{
    struct forwarded *f = *state;
    f->facts.fields = FORWARD_TRACEPARENT;
    forwarded_add(f, "tracestate", "vendor=1");
    forwarded_run(f);
    assert_null(headers_find_name(&f->headers, STRVIEW("tracestate")));
    forwarded_add(f, "traceparent", good_trace);
    forwarded_run(f);
    assert_non_null(headers_find_name(&f->headers, STRVIEW("tracestate")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FORWARDED_TEST(every_request_gets_an_id_also_when_it_is_not_forwarded),
        FORWARDED_TEST(without_random_bytes_only_a_trusted_sender_names_the_request),
        FORWARDED_TEST(a_strangers_request_id_is_replaced),
        FORWARDED_TEST(a_trusted_request_id_is_kept_when_it_is_sane),
        FORWARDED_TEST(a_trusted_request_id_that_could_do_harm_is_replaced),
        FORWARDED_TEST(a_valid_traceparent_is_kept_from_anybody),
        FORWARDED_TEST(a_traceparent_that_is_not_forwarded_is_not_kept),
        FORWARDED_TEST(a_traceparent_that_breaks_its_grammar_is_replaced),
        FORWARDED_TEST(a_trace_begun_here_would_be_kept_by_the_next),
        FORWARDED_TEST(different_random_bytes_begin_different_traces),
        FORWARDED_TEST(an_id_and_a_trace_have_no_random_byte_in_common),
        FORWARDED_TEST(a_trace_that_begins_here_has_no_state_of_another),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
