/* Queues, rings, pools and references, alone and between threads. */
#include "base/clock.h"
#include "base/pool.h"
#include "base/queue.h"
#include "base/ref.h"
#include "base/thread.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static atomic_int n_freed;

static void count_free(void *item)
{
    atomic_fetch_add(&n_freed, 1);
}

static void *number(intptr_t n)
{
    return (void *)n;
}

static int reset(void **state)
{
    n_freed = 0;
    return 0;
}

static void queue_refuses_when_full(void **state)
{
    struct cp_queue *q = cp_queue_create("q", 2, CP_FULL_REFUSE, count_free);
    assert_true(cp_queue_push(q, number(1)));
    assert_true(cp_queue_push(q, number(2)));
    assert_false(cp_queue_push(q, number(3)));
    assert_ptr_equal(cp_queue_pop(q, 0), number(1));
    assert_true(cp_queue_push(q, number(4)));
    assert_ptr_equal(cp_queue_pop(q, 0), number(2));
    assert_ptr_equal(cp_queue_pop(q, 0), number(4));
    assert_null(cp_queue_pop(q, 0));
    struct cp_queue_stats stats = cp_queue_stats(q);
    assert_int_equal(stats.pushed, 3);
    assert_int_equal(stats.refused, 1);
    assert_int_equal(stats.max_depth, 2);
    assert_int_equal(stats.capacity, 2);
    assert_string_equal(cp_queue_name(q), "q");
    cp_queue_destroy(q);
    assert_int_equal(n_freed, 0);
}

static void queue_drops_the_oldest_and_frees_it(void **state)
{
    struct cp_queue *q = cp_queue_create("q", 2, CP_FULL_DROP_OLDEST, count_free);
    for (int i = 1; i <= 5; i++)
        assert_true(cp_queue_push(q, number(i)));
    assert_int_equal(n_freed, 3);
    assert_int_equal(cp_queue_stats(q).dropped, 3);
    assert_ptr_equal(cp_queue_pop(q, 0), number(4));
    cp_queue_destroy(q); /* frees what is left */
    assert_int_equal(n_freed, 4);
}

static void queue_pop_waits_until_its_deadline(void **state)
{
    struct cp_queue *q = cp_queue_create("q", 2, CP_FULL_REFUSE, NULL);
    int64_t deadline_ns = cp_clock_now_ns() + 20 * CP_NS_PER_MS;
    assert_null(cp_queue_pop(q, deadline_ns));
    assert_true(cp_clock_now_ns() >= deadline_ns);
    cp_queue_destroy(q);
}

static void closed_queue_gives_what_is_left_then_nothing(void **state)
{
    struct cp_queue *q = cp_queue_create("q", 2, CP_FULL_WAIT, NULL);
    cp_queue_push(q, number(1));
    cp_queue_close(q);
    assert_true(cp_queue_closed(q));
    assert_false(cp_queue_push(q, number(2)));
    assert_ptr_equal(cp_queue_pop(q, INT64_MAX), number(1));
    assert_null(cp_queue_pop(q, INT64_MAX)); /* returns, though it may wait for ever */
    cp_queue_destroy(q);
}

enum { ITEMS = 5000, WRITERS = 3 };

struct writer {
    struct cp_queue *queue;
    intptr_t base;
};

static void *write_queue(void *arg)
{
    struct writer *writer = arg;
    for (intptr_t i = 0; i < ITEMS; i++)
        if (!cp_queue_push(writer->queue, number(writer->base + i)))
            return NULL;
    return arg;
}

static void waiting_queue_loses_nothing_between_threads(void **state)
{
    struct cp_queue *q = cp_queue_create("q", 7, CP_FULL_WAIT, NULL);
    struct writer writers[WRITERS];
    pthread_t threads[WRITERS];
    intptr_t next[WRITERS] = {0};
    for (int i = 0; i < WRITERS; i++) {
        writers[i] = (struct writer){q, 1 + i * ITEMS};
        assert_int_equal(cp_thread_start(&threads[i], "writer", write_queue, &writers[i]), 0);
    }
    for (int i = 0; i < WRITERS * ITEMS; i++) {
        intptr_t item = (intptr_t)cp_queue_pop(q, cp_clock_now_ns() + 10 * CP_NS_PER_S) - 1;
        assert_true(item >= 0 && item < WRITERS * ITEMS);
        assert_int_equal(item % ITEMS, next[item / ITEMS]); /* each writer's in order */
        next[item / ITEMS]++;
    }
    for (int i = 0; i < WRITERS; i++)
        pthread_join(threads[i], NULL);
    assert_null(cp_queue_pop(q, 0));
    assert_int_equal(cp_queue_stats(q).max_depth <= 7, 1);
    cp_queue_destroy(q);
}

static void *close_soon(void *queue)
{
    cp_clock_sleep_until_ns(cp_clock_now_ns() + 10 * CP_NS_PER_MS);
    cp_queue_close(queue);
    return NULL;
}

static void close_wakes_reader_and_writer(void **state)
{
    pthread_t thread;
    struct cp_queue *q = cp_queue_create("q", 1, CP_FULL_WAIT, NULL);
    assert_int_equal(cp_thread_start(&thread, "closer", close_soon, q), 0);
    assert_null(cp_queue_pop(q, INT64_MAX));
    pthread_join(thread, NULL);
    cp_queue_destroy(q);
    q = cp_queue_create("q", 1, CP_FULL_WAIT, NULL);
    cp_queue_push(q, number(1));
    assert_int_equal(cp_thread_start(&thread, "closer", close_soon, q), 0);
    assert_false(cp_queue_push(q, number(2)));
    pthread_join(thread, NULL);
    cp_queue_destroy(q);
}

static void ring_keeps_order_refuses_when_full_and_rounds_up(void **state)
{
    struct cp_ring *ring = cp_ring_create(3, count_free);
    for (int round = 0; round < 3; round++) {
        for (int i = 1; i <= 4; i++)
            assert_true(cp_ring_push(ring, number(i)));
        assert_false(cp_ring_push(ring, number(5)));
        assert_ptr_equal(cp_ring_peek(ring), number(1));
        for (int i = 1; i <= 4; i++)
            assert_ptr_equal(cp_ring_pop(ring), number(i));
        assert_null(cp_ring_pop(ring));
        assert_null(cp_ring_peek(ring));
    }
    struct cp_queue_stats stats = cp_ring_stats(ring);
    assert_int_equal(stats.capacity, 4);
    assert_int_equal(stats.refused, 3);
    assert_int_equal(stats.pushed, 12);
    assert_int_equal(stats.max_depth, 4);
    cp_ring_push(ring, number(1));
    cp_ring_destroy(ring);
    assert_int_equal(n_freed, 1);
}

static void *write_ring(void *ring)
{
    for (intptr_t i = 1; i <= 10 * ITEMS;)
        i += cp_ring_push(ring, number(i));
    return NULL;
}

static void ring_loses_nothing_between_threads(void **state)
{
    pthread_t thread;
    struct cp_ring *ring = cp_ring_create(64, NULL);
    assert_int_equal(cp_thread_start(&thread, "writer", write_ring, ring), 0);
    for (intptr_t i = 1; i <= 10 * ITEMS;) {
        void *item = cp_ring_pop(ring);
        if (item)
            assert_ptr_equal(item, number(i++));
    }
    pthread_join(thread, NULL);
    assert_null(cp_ring_pop(ring));
    cp_ring_destroy(ring);
}

static void pool_gives_each_object_once(void **state)
{
    struct cp_pool *pool = cp_pool_create(100, 3);
    char *objects[4];
    for (int i = 0; i < 3; i++) {
        objects[i] = cp_pool_get(pool);
        assert_non_null(objects[i]);
        assert_int_equal((uintptr_t)objects[i] % 64, 0);
        for (int j = 0; j < 100; j++)
            assert_int_equal(objects[i][j], 0);
        for (int j = 0; j < i; j++)
            assert_true(labs(objects[i] - objects[j]) >= 100);
    }
    assert_null(cp_pool_get(pool));
    assert_int_equal(cp_pool_misses(pool), 1);
    memset(objects[1], 'x', 100);
    cp_pool_put(pool, objects[1]);
    objects[3] = cp_pool_get(pool);
    assert_ptr_equal(objects[3], objects[1]);
    assert_int_equal(objects[3][99], 'x');
    cp_pool_destroy(pool); /* the objects outlive it */
    memset(objects[0], 'y', 100);
    cp_pool_put(pool, objects[0]);
    cp_pool_put(pool, objects[2]);
    cp_pool_put(pool, objects[3]);
    cp_pool_destroy(NULL);
}

static void *churn_pool(void *pool)
{
    for (int i = 0; i < ITEMS; i++) {
        atomic_int *object = cp_pool_get(pool);
        if (!object)
            continue;
        if (atomic_fetch_add(object, 1)) /* somebody else has it too */
            return NULL;
        atomic_fetch_sub(object, 1);
        cp_pool_put(pool, object);
    }
    return pool;
}

static void pool_never_gives_one_object_to_two_threads(void **state)
{
    struct cp_pool *pool = cp_pool_create(sizeof(atomic_int), 3);
    pthread_t threads[4];
    void *fine;
    for (int i = 0; i < 4; i++)
        assert_int_equal(cp_thread_start(&threads[i], "churn", churn_pool, pool), 0);
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], &fine);
        assert_non_null(fine);
    }
    void *objects[3];
    for (int i = 0; i < 3; i++)
        assert_non_null(objects[i] = cp_pool_get(pool)); /* all came back */
    assert_null(cp_pool_get(pool));
    for (int i = 0; i < 3; i++)
        cp_pool_put(pool, objects[i]);
    cp_pool_destroy(pool);
}

struct thing {
    struct cp_ref ref;
};

static void *take_and_drop(void *thing)
{
    for (int i = 0; i < ITEMS; i++)
        cp_ref_drop(cp_ref_take(thing));
    cp_ref_drop(thing);
    return NULL;
}

static void last_reference_frees_once(void **state)
{
    struct thing thing;
    pthread_t threads[3];
    cp_ref_init(&thing.ref, count_free);
    for (int i = 0; i < 3; i++)
        assert_int_equal(cp_thread_start(&threads[i], "refs", take_and_drop, cp_ref_take(&thing)), 0);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(n_freed, 0);
    cp_ref_drop(&thing);
    assert_int_equal(n_freed, 1);
    assert_null(cp_ref_take(NULL));
    cp_ref_drop(NULL);
}

#define CASE(name) cmocka_unit_test_setup(name, reset)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(queue_refuses_when_full),
        CASE(queue_drops_the_oldest_and_frees_it),
        CASE(queue_pop_waits_until_its_deadline),
        CASE(closed_queue_gives_what_is_left_then_nothing),
        CASE(waiting_queue_loses_nothing_between_threads),
        CASE(close_wakes_reader_and_writer),
        CASE(ring_keeps_order_refuses_when_full_and_rounds_up),
        CASE(ring_loses_nothing_between_threads),
        CASE(pool_gives_each_object_once),
        CASE(pool_never_gives_one_object_to_two_threads),
        CASE(last_reference_frees_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
