/* Two queues and two plain arrays go through the same random operations and stay the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "proxy/core/byte_queue.h"

enum { MODEL_BYTES = 512 * 1024, ROUNDS = 20, OPERATIONS = 1500 };

struct model {
    char bytes[MODEL_BYTES];
    size_t length;
};

struct pair {
    struct byte_queue queue;
    struct model *model;
};

static uint32_t random_state;

/* xorshift32: the same operations each time. */
static uint32_t next_random(uint32_t below)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 17;
    random_state ^= random_state << 5;
    return random_state % below;
}

/* Mostly small, sometimes around the share threshold, sometimes as large as a buffer. */
static size_t random_length(void)
{
    switch (next_random(4)) {
    case 0:
        return next_random(20);
    case 1:
        return BYTE_QUEUE_SHARE_BYTES - 3 + next_random(6);
    case 2:
        return next_random(BYTE_QUEUE_SHARE_BYTES * 2);
    default:
        return next_random(BUFFER_BYTES + 1);
    }
}

static void model_append(struct model *model, const char *data, size_t length)
{
    assert_true(model->length + length <= MODEL_BYTES);
    memcpy(model->bytes + model->length, data, length);
    model->length += length;
}

static void model_consume(struct model *model, size_t length)
{
    if (length > model->length)
        length = model->length;
    memmove(model->bytes, model->bytes + length, model->length - length);
    model->length -= length;
}

static void assert_same(const struct pair *pair)
{
    static char copy[MODEL_BYTES];
    assert_int_equal(pair->queue.bytes, pair->model->length);
    assert_int_equal(byte_queue_copy_out(&pair->queue, copy, sizeof(copy)), pair->model->length);
    assert_memory_equal(copy, pair->model->bytes, pair->model->length);
    struct iovec vectors[8];
    int count = byte_queue_peek(&pair->queue, vectors, 8);
    const char *at = pair->model->bytes;
    for (int i = 0; i < count; i++) {
        assert_true(vectors[i].iov_len > 0);
        assert_memory_equal(vectors[i].iov_base, at, vectors[i].iov_len);
        at += vectors[i].iov_len;
    }
    assert_true(count == 8 || at == pair->model->bytes + pair->model->length);
}

static void append_shared(struct pair *pair, struct buffer_pool *pool)
{
    struct buffer *buffer = buffer_new(pool);
    size_t offset = next_random(1000);
    size_t length = next_random((uint32_t)(BUFFER_BYTES - offset));
    for (size_t i = 0; i < length; i++)
        buffer->bytes[offset + i] = (char)next_random(256);
    buffer->used = (uint32_t)(offset + length);
    byte_queue_append_slice(&pair->queue, buffer, buffer->bytes + offset, length);
    model_append(pair->model, buffer->bytes + offset, length);
    buffer_unref(buffer);
}

static void append_copy(struct pair *pair)
{
    static char bytes[BUFFER_BYTES];
    size_t length = random_length();
    memset(bytes, (int)next_random(256), length);
    if (next_random(2) == 0)
        byte_queue_append(&pair->queue, bytes, length);
    else
        byte_queue_append_slice(&pair->queue, NULL, bytes, length);
    model_append(pair->model, bytes, length);
}

static void reserve_and_commit(struct pair *pair)
{
    size_t length = random_length();
    size_t part = next_random((uint32_t)length + 1);
    char *room = byte_queue_reserve(&pair->queue, length);
    memset(room, (int)next_random(256), length);
    model_append(pair->model, room, part);
    byte_queue_commit(&pair->queue, part);
}

static void move_between(struct pair *to, struct pair *from)
{
    size_t length = random_length();
    size_t part = length < from->model->length ? length : from->model->length;
    byte_queue_move(&to->queue, &from->queue, length);
    model_append(to->model, from->model->bytes, part);
    model_consume(from->model, part);
}

static void operate(struct pair *pair, struct pair *other, struct buffer_pool *pool)
{
    bool full = pair->model->length + other->model->length > MODEL_BYTES - 2 * BUFFER_BYTES;
    switch (full ? 5 : next_random(8)) {
    case 0:
    case 1:
        append_shared(pair, pool);
        break;
    case 2:
        append_copy(pair);
        break;
    case 3:
        reserve_and_commit(pair);
        break;
    case 4:
        move_between(other, pair);
        break;
    default: {
        size_t length = random_length() * 2;
        byte_queue_consume(&pair->queue, length);
        model_consume(pair->model, length);
        break;
    }
    }
}

static void random_operations_leave_what_a_plain_array_would_hold(void **state)
{
    (void)state;
    static struct model models[2];
    for (uint32_t round = 0; round < ROUNDS; round++) {
        struct buffer_pool pool;
        struct pair pairs[2];
        random_state = 2463534242u + round;
        buffer_pool_init(&pool, round % 3);
        for (int i = 0; i < 2; i++) {
            byte_queue_init(&pairs[i].queue, &pool);
            pairs[i].model = &models[i];
            models[i].length = 0;
        }
        for (int i = 0; i < OPERATIONS; i++) {
            uint32_t which = next_random(2);
            operate(&pairs[which], &pairs[1 - which], &pool);
            if (i % 8 == 0) {
                assert_same(&pairs[0]);
                assert_same(&pairs[1]);
            }
        }
        byte_queue_clear(&pairs[0].queue);
        byte_queue_consume(&pairs[1].queue, SIZE_MAX);
        assert_int_equal(pool.live, 0);
        byte_queue_done(&pairs[0].queue);
        byte_queue_done(&pairs[1].queue);
        buffer_pool_done(&pool);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_operations_leave_what_a_plain_array_would_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
