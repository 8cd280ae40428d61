/* The circuit breaker by a clock of our own. */
#include "base/breaker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define MS(n) ((int64_t)(n)*1000000)

static void fail_often(struct cp_breaker *breaker, int n, int64_t now_ns)
{
    for (int i = 0; i < n; i++)
        cp_breaker_failure(breaker, now_ns);
}

static void opens_after_failures_in_a_row(void **state)
{
    struct cp_breaker breaker = {0};
    fail_often(&breaker, CP_BREAKER_FAILURES - 1, 0);
    assert_true(cp_breaker_allow(&breaker, 0));
    cp_breaker_success(&breaker);
    fail_often(&breaker, CP_BREAKER_FAILURES - 1, 0);
    assert_int_equal(breaker.state, CP_BREAKER_CLOSED);
    fail_often(&breaker, 1, 0);
    assert_int_equal(breaker.state, CP_BREAKER_OPEN);
    assert_string_equal(cp_breaker_name(breaker.state), "open");
    assert_false(cp_breaker_allow(&breaker, MS(CP_BREAKER_FIRST_MS) - 1));
    assert_int_equal(breaker.state, CP_BREAKER_OPEN);
}

static void probes_one_at_a_time_and_closes_again(void **state)
{
    struct cp_breaker breaker = {0};
    fail_often(&breaker, CP_BREAKER_FAILURES, MS(100));
    int64_t due_ns = MS(100 + CP_BREAKER_FIRST_MS);
    assert_true(cp_breaker_would_allow(&breaker, due_ns));
    assert_int_equal(breaker.state, CP_BREAKER_OPEN);
    assert_true(cp_breaker_allow(&breaker, due_ns));
    assert_int_equal(breaker.state, CP_BREAKER_HALF_OPEN);
    assert_false(cp_breaker_allow(&breaker, due_ns + MS(10)));
    assert_true(cp_breaker_allow(&breaker, due_ns + MS(5000))); /* the probe was cancelled */
    cp_breaker_success(&breaker);
    assert_int_equal(breaker.state, CP_BREAKER_CLOSED);
    assert_true(cp_breaker_allow(&breaker, due_ns));
}

static void waits_longer_each_time_a_probe_fails(void **state)
{
    struct cp_breaker breaker = {0};
    int64_t now_ns = 0, wait_ms = CP_BREAKER_FIRST_MS;
    fail_often(&breaker, CP_BREAKER_FAILURES, now_ns);
    for (int i = 0; i < 12; i++) {
        assert_int_equal(breaker.until_ns - now_ns, MS(wait_ms));
        fail_often(&breaker, 5, now_ns); /* late answers do not count */
        assert_int_equal(breaker.until_ns - now_ns, MS(wait_ms));
        now_ns = breaker.until_ns;
        assert_true(cp_breaker_allow(&breaker, now_ns));
        cp_breaker_failure(&breaker, now_ns);
        assert_int_equal(breaker.state, CP_BREAKER_OPEN);
        wait_ms = 2 * wait_ms < CP_BREAKER_MAX_MS ? 2 * wait_ms : CP_BREAKER_MAX_MS;
    }
    assert_int_equal(wait_ms, CP_BREAKER_MAX_MS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opens_after_failures_in_a_row),
        cmocka_unit_test(probes_one_at_a_time_and_closes_again),
        cmocka_unit_test(waits_longer_each_time_a_probe_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
